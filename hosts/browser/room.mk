# Aurora: the system in a browser. Three modules for wasm32, from the sources that every other host
# uses, and the page around them: out/web/, a folder for any static web server, which is sealed
# (seal.mjs) of the parts that are made here.
WEB := $(O)/web-parts
WEB_ROOMS := core formats trust wasi base
wasm32.CC := clang --target=wasm32-wasi
wasm32.CFLAGS := -O2 -mbulk-memory -msign-ext -mnontrapping-fptoint -fvisibility=hidden
WEB_LD := clang --target=wasm32-wasi -nostartfiles -Wl,--no-entry -Wl,--gc-sections -Wl,-s \
          -Wl,--stack-first -Wl,-z,stack-size=262144

# Debian's libsodium.a is for the build machine: of its source package come the portable file
# that trust/ needs and the headers of that.
SODIUM_SOURCE := $(O)/cache/source/libsodium
SODIUM_SHA256 := $(SODIUM_SOURCE)/src/libsodium/crypto_hash/sha256/cp/hash_sha256_cp.c
$(SODIUM_SHA256): scripts/debian-source
	@mkdir -p $(@D)
	@rm -rf $(SODIUM_SOURCE) && scripts/debian-source libsodium $(SODIUM_SOURCE) && touch $@
$(O)/wasm32/sodium.o: $(SODIUM_SHA256) $(O)/sodium-headers/.stamp
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc 'libsodium (web)'
	@$(wasm32.CC) $(wasm32.CFLAGS) -w -isystem $(O)/sodium-headers -I$(O)/sodium-headers/sodium \
	    -I$(SODIUM_SOURCE)/src/libsodium/include/sodium/private \
	    -I$(SODIUM_SOURCE)/src/libsodium/include/sodium -c $< -o $@

# What JavaScript calls has no header.
WEB_EXPORTS := -Wno-missing-prototypes

# The files of apps know nothing of browsers, and are tested as any room is.
hosts/browser/store.sources := $(wildcard hosts/browser/store/*.c)
$(eval $(call room,hosts/browser/store,$(hosts/browser/store.sources),wasi base))
# Nor does the memory of an app in our own engine.
hosts/browser/heap.sources := hosts/browser/heap/heap.c
$(eval $(call room,hosts/browser/heap,$(hosts/browser/heap.sources),base))

# $(call web_room,ROOM,SOURCES,ROOMS,FLAGS)
define web_room
$(foreach s,$(2),$(call compile,wasm32,$(s),$(1),$(3),$(4)))
web.objects.$(1) := $(patsubst %,$(O)/wasm32/%.o,$(2))

endef
$(eval $(call web_room,base,base/ring.c base/strbuf.c base/utf8.c,,))
$(eval $(call web_room,formats,$(formats.sources),base,))
$(eval $(call web_room,trust,trust/sha256.c trust/sodium_glue.c,base,-isystem $(O)/sodium-headers))
$(eval $(call web_room,core,$(core.sources),formats trust base,))
$(eval $(call web_room,hosts,$(hosts.sources),core formats wasi base,))
$(eval $(call web_room,hosts/browser/store,$(hosts/browser/store.sources),wasi base,))
$(eval $(call web_room,hosts/browser/core,$(wildcard hosts/browser/core/*.c),\
    hosts/browser/store hosts core formats trust wasi base,$(WEB_EXPORTS)))
$(O)/wasm32/trust/sha256.c.o: $(O)/sodium-headers/.stamp

web.core := $(foreach r,base formats trust core hosts hosts/browser/store \
            hosts/browser/core,$(web.objects.$r)) \
            $(O)/wasm32/sodium.o
$(WEB)/core.wasm: $(web.core)
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' ld '$@'
	@$(WEB_LD) $^ -o $@

# What runs beside an app, or runs it, may share an address space with others of its kind, each in a
# place of its own (page/place.js). So these are linked to lie anywhere: what has a fixed address the
# linker refuses, and there is nothing that places could share by mistake. In this form objects come
# from clang 19: the one that makes the rest knows it for Emscripten's targets only.
placed.CC := clang-19 --target=wasm32-wasi
placed.CFLAGS := $(wasm32.CFLAGS) -fPIC
PLACED_LD := wasm-ld -shared --experimental-pic --no-entry --gc-sections -s --import-memory \
             --max-memory=4294967296 --export=__wasm_call_ctors

# $(call placed_room,ROOM,SOURCES,ROOMS,FLAGS)
define placed_room
$(foreach s,$(2),$(call compile,placed,$(s),$(1),$(3),$(4)))
placed.objects.$(1) := $(patsubst %,$(O)/placed/%.o,$(2))

endef
$(eval $(call placed_room,base,base/ring.c base/strbuf.c base/utf8.c,,))
$(eval $(call placed_room,wasi,$(filter-out wasi/link.c,$(wasi.sources)),engine base,))
$(eval $(call placed_room,hosts/browser/app,$(wildcard hosts/browser/app/*.c),wasi base,$(WEB_EXPORTS)))
# Our own engine, for apps that ask for it or that the browser's cannot take. Dispatch by a switch,
# and the operations of a small machine: a browser compiles one large function badly.
$(eval $(call placed_room,engine,$(engine.small),base,-Iengine -DENG_SMALL=1 -fno-math-errno))
$(eval $(call placed_room,wasi/link,wasi/link.c,wasi engine base,-Iwasi))
$(eval $(call placed_room,hosts/browser/heap,hosts/browser/heap/heap.c,base,))
$(eval $(call placed_room,hosts/browser/engine,hosts/browser/engine/main.c,\
    hosts/browser/heap wasi engine base,$(WEB_EXPORTS)))

placed.wasi := $(foreach r,base wasi hosts/browser/app,$(placed.objects.$r))
$(WEB)/wasi.wasm: $(placed.wasi)
$(WEB)/engine.wasm: $(placed.wasi) $(foreach r,engine wasi/link hosts/browser/heap hosts/browser/engine,\
    $(placed.objects.$r))
$(WEB)/wasi.wasm $(WEB)/engine.wasm: hosts/browser/placed.mjs
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' ld '$@'
	@$(PLACED_LD) -L/usr/lib/wasm32-wasi $(filter %.o,$^) -lc -o $(O)/placed/$(@F)
	@node hosts/browser/placed.mjs $(O)/placed/$(@F) $@

# Packages of npm, exactly those of package-lock.json; nothing of them is in the tree.
WEB_NPM := $(O)/cache/npm
$(WEB_NPM)/.stamp: hosts/browser/package.json hosts/browser/package-lock.json
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' npm '$(WEB_NPM)'
	@cp $^ $(@D) && npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error >$(@D)/log \
	    || { tail -n 5 $(@D)/log >&2; exit 1; }
	@touch $@

WEB_PAGE := $(patsubst hosts/browser/page/%,$(WEB)/%,$(wildcard hosts/browser/page/*))
WEB_ROOT := $(patsubst hosts/browser/root/%,$(WEB)/root/%,$(wildcard hosts/browser/root/*)) \
            $(WEB)/root/icon-192.png $(WEB)/root/icon-512.png
$(WEB)/root/%: hosts/browser/root/%
	@mkdir -p $(@D)
	@cp $< $@
$(WEB)/root/icon-%.png: hosts/browser/root/icon.svg
	@mkdir -p $(@D)
	@rsvg-convert -w $* -h $* $< -o $@
$(WEB)/%: hosts/browser/page/%
	@mkdir -p $(@D)
	@cp $< $@
$(WEB)/xterm.mjs $(WEB)/xterm.css $(WEB)/addon-fit.mjs: $(WEB_NPM)/.stamp
	@mkdir -p $(@D)
	@cp $(WEB_NPM)/node_modules/@xterm/$(if $(filter %fit.mjs,$@),addon-fit/lib,xterm/$(if \
	    $(filter %.css,$@),css,lib))/$(@F) $@

# An app as it ships, but that its manifest states the hash of its module: what the server sends
# is compared with it before anything of it runs.
define web_app
$(WEB)/apps/$(1)/$(1).wasm: $(O)/apps/$(1)/$(1).wasm
	@mkdir -p $$(@D)
	@cp $$< $$@
$(WEB)/apps/$(1)/vyoma.toml: $(O)/apps/$(1)/vyoma.toml $(O)/apps/$(1)/$(1).wasm
	@mkdir -p $$(@D)
	@sed "/^wasm = /a wasm_sha256 = \"$$$$(sha256sum <$(O)/apps/$(1)/$(1).wasm | cut -c1-64)\"" $$< >$$@
WEB_APPS += $(WEB)/apps/$(1)/$(1).wasm $(WEB)/apps/$(1)/vyoma.toml

endef
WEB_APP_NAMES := $(sort $(patsubst apps/%/main.c,%,$(wildcard apps/*/main.c)))
$(foreach a,$(WEB_APP_NAMES),$(eval $(call web_app,$(a))))

WEB_FILES := $(WEB)/core.wasm $(WEB)/wasi.wasm $(WEB)/engine.wasm $(WEB_PAGE) $(WEB)/xterm.mjs \
             $(WEB)/xterm.css $(WEB)/addon-fit.mjs $(WEB_ROOT) $(WEB_APPS)
WEB_SEAL := hosts/browser/seal.mjs hosts/browser/join.mjs hosts/browser/served.json
# Parts whose source is gone go too.
WEB_LIST := $(O)/web-parts.list
.PHONY: web-list
$(WEB_LIST): web-list
	@hosts/browser/forget $(WEB) $@ $(WEB_FILES:$(WEB)/%=%)
WEB_SEALED := $(O)/web/sw.js
$(WEB_SEALED): $(WEB_FILES) $(WEB_SEAL) $(WEB_LIST)
	@node hosts/browser/seal.mjs $(WEB) $(O)/web

.PHONY: web run-browser
web: $(WEB_SEALED) ## build the system for a browser into out/web/, a static folder
run-browser:
	@$(MAKE) --no-print-directory -s -j$$(nproc) web
	@node hosts/browser/serve.mjs $(O)/web
.PHONY: picture
picture: web ## take the README's picture of the page, docs/browser.png, anew
	@node hosts/browser/picture.mjs $(O)/web docs/browser.png
