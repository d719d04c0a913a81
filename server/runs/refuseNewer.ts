/** @file Folders that a newer DeepTwist has written. */
import { isRecord } from '../protocol/record.ts';
import { UserError } from '../protocol/userError.ts';

/**
 * @param path of the folder
 * @param record what its file says, which may be anything
 * @param known the newest format that this version reads
 * @throws UserError where the record has a newer format
 */
export function refuseNewer(path: string, record: unknown, known: number): void {
  if (!isRecord(record) || typeof record.format !== 'number' || record.format <= known) return;
  throw new UserError(
    `${path} was written by a newer DeepTwist: its format is ${record.format}, this version reads up to ${known}.`,
    { remedy: 'Update DeepTwist.' },
  );
}
