/** The workload `recovery` on workers of Node.js, with another one ready. */
import { answerForBareThreads } from './bare-threads.ts';

await answerForBareThreads({ spare: true });
