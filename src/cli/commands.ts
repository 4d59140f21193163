/** The table of commands: a new one is a line here and a file beside. */
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
  doctor,
  dialplanCheck,
  dialplanRoute,
  modelsList,
  modelsVerify,
  callsList,
  callsShow,
  hangup,
];
