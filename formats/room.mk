formats.sources := $(addprefix formats/,error.c decimal.c toml.c toml_value.c toml_string.c \
    toml_number.c toml_date.c)
$(eval $(call room,formats,$(formats.sources),base))
