$(eval $(call unit_test,unit/base,tests/unit/base.c,base))
