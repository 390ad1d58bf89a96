import { answerForLine } from './two-threads.ts';

await answerForLine('ours');
