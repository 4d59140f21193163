/** Whether baresip is there to be a caller in tests, said once when it is not. */
import { baresipInstalled } from '../../src/bench/baresip-caller';

export { callWithBaresip } from '../../src/bench/baresip-caller';

export function baresipToTestWith(): boolean {
  const found = baresipInstalled();
  if (!found) process.stderr.write('skipped: baresip as the caller, because baresip-core is not installed\n');
  return found;
}
