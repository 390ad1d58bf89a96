/** The workload `recovery` on beamish without a spare thread. */
import { answerForFaults } from './faults.ts';

await answerForFaults({ spare: false });
