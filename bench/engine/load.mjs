// Milliseconds that V8 takes to compile a module, median of N times; N and the file are arguments.
// Every time it is another module (a custom section differs), which V8 does not know yet.
import { readFileSync } from "node:fs";

const [file, count] = process.argv.slice(2);
const module = readFileSync(file);
const times = [];
for (let i = 0; i < Number(count); i++) {
  const section = Buffer.from([0, 5, 1, 0x6e, i & 0xff, i >> 8, 0]);
  const bytes = Buffer.concat([module, section]);
  const start = process.hrtime.bigint();
  new WebAssembly.Module(bytes);
  times.push(Number(process.hrtime.bigint() - start) / 1e6);
}
times.sort((a, b) => a - b);
console.log(times[times.length >> 1].toFixed(3));
