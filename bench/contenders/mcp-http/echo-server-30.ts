/** The server of ours with 30 tools. */
import { echoServer } from './echo-tools.ts';

export default echoServer(30, import.meta.url);
