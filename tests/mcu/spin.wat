(module
  (func $forever (loop (br 0)))
  (func (export "_start") (call $forever)))
