/** The workload `recovery` on workers of Node.js, the next one started when one has ended. */
import { answerForBareThreads } from './bare-threads.ts';

await answerForBareThreads({ spare: false });
