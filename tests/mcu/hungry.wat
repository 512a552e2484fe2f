;; Asks for memory until there is none: 16, or more pages than there are.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory 1 16)
  (func (export "_start")
    (call $exit (i32.add (i32.const 7) (memory.grow (i32.const 1))))))
