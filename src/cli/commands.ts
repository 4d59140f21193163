/** The table of commands: a new one is a line here and a file beside. */
import { bench } from './bench';
import { call } from './call';
import { callsList, callsShow, hangup } from './calls';
import type { Command } from './command';
import { dialplanCheck, dialplanRoute } from './dialplan';
import { doctor } from './doctor';
import { modelsList, modelsVerify } from './models';
import { up } from './up';

export const commands: readonly Command[] = [
  up,
  call,
  bench,
  doctor,
  dialplanCheck,
  dialplanRoute,
  modelsList,
  modelsVerify,
  callsList,
  callsShow,
  hangup,
];
