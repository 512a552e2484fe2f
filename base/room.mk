$(eval $(call room,base,base/ring.c base/strbuf.c base/utf8.c,))
