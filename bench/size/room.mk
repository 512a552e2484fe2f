$(eval $(call benchmark,size,bench/size/size.py,$(BOOT_FILES)))
