/**
 * Alternating rounds: contender after contender, round after round, so that a change of the machine meets all alike.
 */
import { type Command, Contender } from './contender.ts';

export interface Rounds<Answer extends object> {
  readonly contenders: ReadonlyMap<string, Command>;
  readonly rounds: number;
  /** Asked once of each before the first round, if it is set: what is measured then has been compiled. */
  readonly warmUp?: (contender: Contender, name: string) => Promise<Answer | undefined>;
  /** One round of one contender. Undefined if it has no such operation. */
  readonly round: (contender: Contender, name: string) => Promise<Answer | undefined>;
  /** A new process for each round, for what a process can do only once. */
  readonly fresh?: boolean;
}

/** The answers of each contender that has the operation, in the order of the rounds. */
export async function alternate<Answer extends object>(plan: Rounds<Answer>): Promise<Map<string, Answer[]>> {
  const { contenders, rounds, warmUp, round, fresh = false } = plan;
  const answers = new Map<string, Answer[]>();
  const running = new Map<string, Contender>();
  try {
    for (const [name, command] of contenders) {
      answers.set(name, []);
      if (!fresh) running.set(name, Contender.start(name, command));
    }
    if (warmUp !== undefined) {
      for (const [name, contender] of running) {
        if ((await warmUp(contender, name)) === undefined) answers.delete(name);
      }
    }
    for (let i = 0; i < rounds; i++) {
      for (const [name, list] of answers) {
        const contender = running.get(name) ?? Contender.start(name, contenders.get(name) as Command);
        if (fresh) running.set(name, contender);
        const answer = await round(contender, name);
        if (answer === undefined) answers.delete(name);
        else list.push(answer);
        if (!fresh) continue;
        running.delete(name);
        await contender.stop();
      }
    }
  } finally {
    await Promise.all([...running.values()].map((contender) => contender.stop()));
  }
  return answers;
}
