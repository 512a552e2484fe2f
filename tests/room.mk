$(eval $(call unit_test,unit/base,tests/unit/base.c,base))
$(eval $(call quick_test,checks/rooms,tests/checks/rooms.py,))
$(eval $(call quick_test,checks/runner,tests/checks/runner.py,))
