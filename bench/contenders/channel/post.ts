import { answerForLine } from './two-threads.ts';

await answerForLine('post');
