import { UserError } from '../../server/protocol/userError.ts';

/** The {@link UserError} that a call throws or its promise is rejected with; anything else fails the test. */
export async function userErrorOf(call: () => unknown): Promise<UserError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
