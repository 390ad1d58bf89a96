/** The floor: every request back as it came, without a look into it but at its first letter; the rest is dropped. */
import { serveLines } from './bare-lines.ts';

const I = 'i'.charCodeAt(0);

await serveLines((line) => (line.charCodeAt(2) === I ? line : ''));
