/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc_params.h. */
#include "rpc_params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/nearest.h"
#include "options/port_options.h"
#include "text/text.h"
#include "text/words.h"

#define VALUE_SHOWN 40 /* bytes of a wrong value that a message quotes */
#define LIST_MAX 320   /* bytes of a list of names in a message */

bool
rpc_params_has_option(const struct rpc_method *method, const struct port_option *option)
{
	switch (method->options) {
	case RPC_OPTIONS_NONE:
		return false;
	case RPC_OPTIONS_ALL:
		return true;
	case RPC_OPTIONS_CHANGEABLE:
		return !option->add_only;
	}
	return false;
}

static const struct rpc_param *
find_param(const struct rpc_method *method, const char *name)
{
	size_t i;

	for (i = 0; i < method->n_params; i++)
		if (strcmp(method->params[i].name, name) == 0)
			return &method->params[i];
	return NULL;
}

/* "name, type, mtu": all that the method takes. */
static const char *
list_params(const struct rpc_method *method, char *text, size_t size)
{
	const char *separator = "";
	size_t i, used = 0;

	snprintf(text, size, "no parameters");
	for (i = 0; i < method->n_params && used < size; i++) {
		used += (size_t)snprintf(text + used, size - used, "%s%s", separator,
				method->params[i].name);
		separator = ", ";
	}
	for (i = 0; i < port_options_count && used < size; i++) {
		if (!rpc_params_has_option(method, &port_options[i]))
			continue;
		used += (size_t)snprintf(
				text + used, size - used, "%s%s", separator, port_options[i].key);
		separator = ", ";
	}
	return text;
}

static const char *
nearest_param(const struct rpc_method *method, const char *name)
{
	struct nearest near;
	size_t i;

	nearest_init(&near, name);
	for (i = 0; i < method->n_params; i++)
		nearest_offer(&near, method->params[i].name);
	for (i = 0; i < port_options_count; i++)
		if (rpc_params_has_option(method, &port_options[i]))
			nearest_offer(&near, port_options[i].key);
	return near.best;
}

static int
unknown_param(const struct rpc_method *method, const char *name, struct rpc_problem *problem)
{
	const struct port_option *option = port_option_find(name);
	const char *nearest = nearest_param(method, name);
	char list[LIST_MAX];

	if (option != NULL && method->options == RPC_OPTIONS_CHANGEABLE)
		return text_fail(problem->text, sizeof(problem->text), -EINVAL,
				"%s: cannot be changed while the port is there; delete the port and "
				"add it anew",
				name);
	if (nearest != NULL) {
		snprintf(problem->nearest, sizeof(problem->nearest), "%s", nearest);
		return text_fail(problem->text, sizeof(problem->text), -EINVAL,
				"'%.60s' is not known here; did you mean %s?", name, nearest);
	}
	return text_fail(problem->text, sizeof(problem->text), -EINVAL,
			"'%.60s' is not known here; %s takes %s", name, method->name,
			list_params(method, list, sizeof(list)));
}

/* What the value has to be, for messages. */
static const char *
expectation(const struct rpc_param *param, char *text, size_t size)
{
	switch (param->type) {
	case RPC_NAME:
		return "the name of a port, as a string";
	case RPC_WORD:
		snprintf(text, size, "one of %s, as a string", param->words);
		return text;
	case RPC_WORDS:
		snprintf(text, size, "an array with one or more of %s", param->words);
		return text;
	case RPC_PATH:
		return "the absolute path of a file, as a string";
	case RPC_MAC:
		return "a MAC address such as \"02:00:00:00:00:01\", as a string";
	case RPC_INTEGER:
		snprintf(text, size, "a whole number from %" PRId64 " to %" PRId64, param->min,
				param->max);
		return text;
	case RPC_VLAN:
		return "a VLAN that there is: this switch has no VLANs yet; give 0, or leave it out";
	case RPC_BOOL:
		return "true or false";
	}
	return "known";
}

/* The first word of an array that is none of `words`; NULL: there is none. */
static const char *
wrong_word(const char *words, const json_t *array)
{
	const char *word;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		word = json_string_value(json_array_get(array, i));
		if (word == NULL || words_index(words, word) < 0)
			return word != NULL ? word : "";
	}
	return NULL;
}

static bool
is_good(const struct rpc_param *param, const json_t *value)
{
	const char *string = json_string_value(value);
	uint8_t mac[6];

	switch (param->type) {
	case RPC_NAME:
		return string != NULL;
	case RPC_WORD:
		return string != NULL && words_index(param->words, string) >= 0;
	case RPC_WORDS:
		return json_array_size(value) > 0 && wrong_word(param->words, value) == NULL;
	case RPC_PATH:
		return string != NULL && string[0] == '/';
	case RPC_MAC:
		return string != NULL && text_parse_mac(string, mac, NULL, 0) == 0;
	case RPC_INTEGER:
		return json_is_integer(value) && json_integer_value(value) >= param->min &&
				json_integer_value(value) <= param->max;
	case RPC_VLAN:
		return json_is_integer(value) && json_integer_value(value) == 0;
	case RPC_BOOL:
		return json_is_boolean(value);
	}
	return false;
}

struct word_search {
	struct nearest near;
	char *best; /* room for the word that near.best stands for */
	size_t best_size;
};

/* `word` is gone after this call, so the nearest one is kept. */
static void
offer_word(const char *word, void *arg)
{
	struct word_search *search = arg;

	nearest_offer(&search->near, word);
	if (search->near.best != word)
		return;
	snprintf(search->best, search->best_size, "%s", word);
	search->near.best = search->best;
}

/* "; did you mean TYPE?" for a word that is none of the words. */
static void
hint_word(const struct rpc_param *param, const json_t *value, struct rpc_problem *problem,
		char *hint, size_t size)
{
	const char *word = json_is_array(value) ? wrong_word(param->words, value)
						: json_string_value(value);
	struct word_search search = { .best = problem->nearest,
		.best_size = sizeof(problem->nearest) };

	hint[0] = '\0';
	if (param->words == NULL || word == NULL)
		return;
	nearest_init(&search.near, word);
	words_for_each(param->words, offer_word, &search);
	nearest_hint(&search.near, hint, size);
}

static int
wrong_value(const struct rpc_param *param, const json_t *value, struct rpc_problem *problem)
{
	char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *more = shown != NULL && strlen(shown) > VALUE_SHOWN ? "..." : "";
	char right[200], hint[80];

	hint_word(param, value, problem, hint, sizeof(hint));
	text_fail(problem->text, sizeof(problem->text), 0, "%s: %.*s%s is not %s%s", param->name,
			VALUE_SHOWN, shown != NULL ? shown : "this", more,
			expectation(param, right, sizeof(right)), hint);
	free(shown);
	return -EINVAL;
}

static int
check_one(const struct rpc_method *method, const char *name, const json_t *value,
		struct rpc_problem *problem)
{
	const struct rpc_param *param = find_param(method, name);
	const struct port_option *option = port_option_find(name);

	snprintf(problem->param, sizeof(problem->param), "%.60s", name);
	if (param != NULL)
		return is_good(param, value) ? 0 : wrong_value(param, value, problem);
	if (option != NULL && rpc_params_has_option(method, option))
		return port_option_check(option, value, problem->text, sizeof(problem->text));
	return unknown_param(method, name, problem);
}

static int
check_required(const struct rpc_method *method, const json_t *params, struct rpc_problem *problem)
{
	const struct rpc_param *param;
	char right[200];
	size_t i;

	for (i = 0; i < method->n_params; i++) {
		param = &method->params[i];
		if (!param->required || json_object_get(params, param->name) != NULL)
			continue;
		snprintf(problem->param, sizeof(problem->param), "%s", param->name);
		return text_fail(problem->text, sizeof(problem->text), -EINVAL,
				"%s: is missing; give %s", param->name,
				expectation(param, right, sizeof(right)));
	}
	problem->param[0] = '\0';
	return 0;
}

/* Of a port to be made; what one that is there can have is its method's to check. */
static int
check_options_together(
		const struct rpc_method *method, const json_t *params, struct rpc_problem *problem)
{
	const char *key = "";
	int ret;

	if (method->options != RPC_OPTIONS_ALL)
		return 0;
	ret = port_options_check_together(params,
			port_kind_find(rpc_params_text(params, "type", "vhost-user")), &key,
			problem->text, sizeof(problem->text));
	snprintf(problem->param, sizeof(problem->param), "%s", key);
	return ret;
}

int
rpc_params_check(const struct rpc_method *method, const json_t *params, struct rpc_problem *problem)
{
	char list[LIST_MAX];
	const char *name;
	json_t *value;
	int ret = 0;

	*problem = (struct rpc_problem){ 0 };
	if (params != NULL && !json_is_object(params))
		return text_fail(problem->text, sizeof(problem->text), -EINVAL,
				"parameters go by name, not by position; give an object (%s takes %s)",
				method->name, list_params(method, list, sizeof(list)));
	json_object_foreach ((json_t *)params, name, value) {
		ret = check_one(method, name, value, problem);
		if (ret != 0)
			return ret;
	}
	ret = check_required(method, params, problem);
	if (ret == 0)
		ret = check_options_together(method, params, problem);
	return ret;
}

void
rpc_params_subject(const struct rpc_method *method, const json_t *params, char *text, size_t size)
{
	const char *command = method->command != NULL ? method->command : method->name;
	const char *object = NULL;

	if (method->n_params > 0 && json_is_object(params))
		object = json_string_value(json_object_get(params, method->params[0].name));
	snprintf(text, size, "%s%s%.64s", command, object != NULL ? " " : "",
			object != NULL ? object : "");
}

const char *
rpc_params_text(const json_t *params, const char *name, const char *otherwise)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL ? json_string_value(value) : otherwise;
}

int64_t
rpc_params_integer(const json_t *params, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL ? json_integer_value(value) : otherwise;
}

bool
rpc_params_bool(const json_t *params, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL ? json_is_true(value) : otherwise;
}

uint32_t
rpc_params_words(const json_t *params, const char *name, const char *words)
{
	const json_t *array = json_object_get(params, name);
	uint32_t bits = 0;
	size_t i;
	int index;

	if (array == NULL)
		return UINT32_MAX;
	for (i = 0; i < json_array_size(array); i++) {
		index = words_index(words, json_string_value(json_array_get(array, i)));
		if (index >= 0)
			bits |= 1u << index;
	}
	return bits;
}
