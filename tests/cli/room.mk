# The vyoma command as people use it, and docs/first-app.md.
CLI_NEED = $(APPS) $(O)/bin/vyoma $(O)/rel/bin/vyoma-run

$(eval $(call script_test,cli/commands,tests/cli/commands,$$(CLI_NEED)))
$(eval $(call script_test,cli/run,tests/cli/run,$$(CLI_NEED)))
$(eval $(call script_test,cli/completion,tests/cli/completion,$$(CLI_NEED)))
$(eval $(call script_test,cli/first-app,tests/cli/first-app,$$(CLI_NEED)))
