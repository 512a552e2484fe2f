// A module that was linked to lie anywhere (wasi.wasm, engine.wasm: room.mk), put into its place of a
// memory. A place is a range of bytes that one worker uses and no other:
//
//     | nothing | the module's own data | its stack | what is free, in our engine |
//
// Nothing is where the place before would run over into this one. The stack grows down into
// the module's own data. The memory may hold other places, so no byte beyond these two ends is named.
import { read_u32 } from './limit.js';

const NOTHING_BYTES = 65536, STACK_BYTES = 262144, ALIGN = 65536;

const round_up = n => Math.ceil(n / ALIGN) * ALIGN;

// What the linker says that the module needs: [bytes of memory, entries of the table].
// https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md
function needs(module) {
  const [section] = WebAssembly.Module.customSections(module, 'dylink.0');
  const bytes = new Uint8Array(section);
  const [memory, after_memory] = read_u32(bytes, 2); // the first part is about memory
  const [align, after_align] = read_u32(bytes, after_memory);
  const [table] = read_u32(bytes, after_align);
  if (bytes[0] !== 1 || 2 ** align > ALIGN)
    throw new Error('the module does not say what it needs');
  return [memory, table];
}

const fixed_bytes = memory => NOTHING_BYTES + Math.ceil(memory / 16) * 16 + STACK_BYTES;

// Bytes of a place for the module, with so many free.
export const place_bytes = (module, free = 0) => round_up(fixed_bytes(needs(module)[0]) + free);

// Where what is free begins in a place of this module.
export const free_from = module => fixed_bytes(needs(module)[0]);

// The module's exports; imports are its functions. The place is [begin, begin + free_from() or more).
// Its first `dirty` bytes are somebody's before: they are cleared first.
export function put(module, memory, begin, dirty, imports) {
  const [bytes, entries] = needs(module), base = begin + NOTHING_BYTES;
  new Uint8Array(memory.buffer, base, Math.max(dirty - NOTHING_BYTES, 0)).fill(0);
  const number = (value, mutable) => new WebAssembly.Global({ value: 'i32', mutable }, value);
  const env = {
    memory,
    __indirect_function_table: new WebAssembly.Table({ element: 'anyfunc', initial: entries }),
    __memory_base: number(base, false), __table_base: number(0, false),
    __stack_pointer: number(base + Math.ceil(bytes / 16) * 16 + STACK_BYTES, true),
  };
  const { exports } = new WebAssembly.Instance(module, { env, host: imports });
  exports.__wasm_call_ctors(); // its pointers are to what has an address only now
  return exports;
}
