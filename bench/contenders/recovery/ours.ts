/** The workload `recovery` on beamish as it is by default, with a spare thread. */
import { answerForFaults } from './faults.ts';

await answerForFaults({ spare: true });
