import type { Problem, ProblemCode } from '../domain/problem.js';

/** What a caller of Holdfast gets to see when something could not be done. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ProblemCode;
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.code = problem.code;
    this.problem = problem;
  }
}
