// The one error of this room: what went wrong, where, and what the reader does next.

/** Everything the stack can't do for its user ends in one of these; `next` is an instruction, not an explanation. */
export class StackError extends Error {
  readonly what: string;
  readonly where: string;
  readonly next: string;

  constructor(problem: { what: string; where: string; next: string }) {
    super(`${problem.what} (${problem.where}); next: ${problem.next}`);
    this.name = 'StackError';
    this.what = problem.what;
    this.where = problem.where;
    this.next = problem.next;
  }
}

/** The three lines a person reads; other errors keep their stack, since they are bugs. */
export function formatProblem(error: unknown): string {
  if (error instanceof StackError) return `${error.what}\n  where: ${error.where}\n  next:  ${error.next}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
