/* Why an import does not exist, in words that every host shares. */
#include "base/err.h"
#include "wasi/caps.h"

int wasi_refuse_import(struct span module, struct span name, struct strbuf *import,
                       struct strbuf *text, struct wasi_need *ret_need)
{
    strbuf_printable(import, span_take(module, 100));
    strbuf_char(import, '.');
    strbuf_printable(import, span_take(name, 100));
    strbuf_cstr(text, "import ");
    strbuf_span(text, strbuf_done(import));
    if (wasi_capability_of(module, name, ret_need) == E_OK && ret_need->key) {
        strbuf_cstr(text, " is not granted; [capabilities] ");
        strbuf_cstr(text, ret_need->key_value);
        strbuf_cstr(text, " would grant it");
        return E_DENIED;
    }
    *ret_need = (struct wasi_need){ 0, NULL, NULL };
    strbuf_cstr(text, " does not exist");
    return E_NOENT;
}
