/* Properties of an instance, as the configuration gives them and the plugin reads them. */
#define _GNU_SOURCE
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Keys are the same in upper and lower case (flb_kv.c, flb_kv_get_key_value). */
struct setting *setting_find(struct setting *list, const char *key)
{
    struct setting *setting;

    for (setting = list; setting != NULL; setting = setting->next) {
        if (strcasecmp(setting->key, key) == 0) {
            return setting;
        }
    }
    return NULL;
}

void settings_set(struct setting **list, const char *key, const char *value)
{
    struct setting *setting = setting_find(*list, key);
    struct setting **end = list;

    if (setting == NULL) {
        setting = calloc(1, sizeof(*setting));
        setting->key = strdup(key);
        while (*end != NULL) {
            end = &(*end)->next;
        }
        *end = setting;
    }
    free(setting->value);
    setting->value = *value != '\0' ? strdup(value) : NULL;
}

/* An output reads an empty value as none (flb_output.c, flb_output_set_property). */
void settings_lend(struct setting *list)
{
    struct setting *setting;

    for (setting = list; setting != NULL; setting = setting->next) {
        setting->lent = setting->value != NULL ? strdup(setting->value) : NULL;
    }
}

/* What was lent turns to garbage before it is freed, to tell a late read. */
void settings_take_back(struct setting *list)
{
    struct setting *setting;

    for (setting = list; setting != NULL; setting = setting->next) {
        if (setting->lent != NULL) {
            memset(setting->lent, 0xdd, strlen(setting->lent));
            free(setting->lent);
            setting->lent = NULL;
        }
    }
}

/*
 * A filter's properties belong to one instance of one configuration; in a reload two
 * live at a time. An empty value reads as "": flb_filter_set_property, unlike that of
 * outputs, keeps it (flb_filter.c, 2.2.3 to 5.1.1).
 */
struct setting *settings_copy(const struct setting *list)
{
    struct setting *copy = NULL;
    struct setting **end = &copy;

    for (; list != NULL; list = list->next) {
        *end = calloc(1, sizeof(**end));
        (*end)->key = strdup(list->key);
        (*end)->lent = strdup(list->value != NULL ? list->value : "");
        end = &(*end)->next;
    }
    return copy;
}

void settings_free(struct setting *list)
{
    struct setting *next;

    settings_take_back(list);
    for (; list != NULL; list = next) {
        next = list->next;
        free(list->key);
        free(list->value);
        free(list);
    }
}
