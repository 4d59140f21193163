/** `npm run build`: what `npm start` does before it starts. */
import { prepare } from './prepare.mjs';

await prepare();
