# The apps as they ship, under the supervisor. lib.py is for tests/cli too.
APPS_NEED = $(APPS) $(O)/bin/vyoma $(O)/rel/bin/vyoma-run

$(eval $(call quick_test,apps/sizes,tests/apps/sizes,$$(APPS)))
$(eval $(call script_test,apps/basics,tests/apps/basics,$$(APPS_NEED)))
$(eval $(call script_test,apps/http,tests/apps/http,$$(APPS_NEED)))
$(eval $(call script_test,apps/shell,tests/apps/shell,$$(APPS_NEED)))
$(eval $(call unit_test,unit/http-request,tests/apps/http_request.c apps/http-server/request.c,base))
$(eval $(call fuzz_target,http_request,tests/fuzz/http_request.c,base))
