/** @file What a process said of its own end: pure. */

/** What Node, V8, C++ and the system print as they give up; `sidecar.log` has the lines around it. */
const END =
  /^(?:FATAL ERROR: .+|terminate called .+|\w*Error(?: \[\w+\])?: .+|.*(?:out of memory|Segmentation fault|Bus error).*)/i;
/** Lines of the process's own log begin with the time. */
const TIMED = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) /;

/**
 * The line that tells why a process died.
 * @param log the end of its log
 * @returns undefined where the last thing that it printed is a line of its log: it did not see its end coming
 */
export function lastWords(log: string): string | undefined {
  const lines = log.split(/\r?\n/);
  const after = lines.slice(lines.findLastIndex((line) => TIMED.test(line)) + 1);
  return after.find((line) => END.test(line))?.trim();
}
