/** The server of ours with one tool; a module of its own, so that worker threads can import it. */
import { echoServer } from './echo-tools.ts';

export default echoServer(1, import.meta.url);
