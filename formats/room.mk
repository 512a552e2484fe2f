formats.sources := $(addprefix formats/,error.c decimal.c toml.c toml_value.c toml_string.c \
    toml_number.c toml_date.c schema.c manifest.c manifest_caps.c manifest_query.c boot.c lines.c json.c argv.c)
$(eval $(call room,formats,$(formats.sources),base))
