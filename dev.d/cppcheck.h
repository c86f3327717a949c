/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What cppcheck must know of headers that it does not read: the loops of sys/queue.h, jansson
 * and libmnl. `./dev lint` includes it before each file; nothing is compiled with it.
 */
#define TAILQ_HEAD(name, type)                                                                     \
	struct name {                                                                              \
		struct type *tqh_first;                                                            \
		struct type **tqh_last;                                                            \
	}
#define TAILQ_FOREACH(var, head, field)                                                            \
	for ((var) = (head)->tqh_first; (var) != NULL; (var) = (var)->field.tqe_next)
#define STAILQ_HEAD(name, type)                                                                    \
	struct name {                                                                              \
		struct type *stqh_first;                                                           \
		struct type **stqh_last;                                                           \
	}
#define STAILQ_FOREACH(var, head, field)                                                           \
	for ((var) = (head)->stqh_first; (var) != NULL; (var) = (var)->field.stqe_next)
#define LIST_HEAD(name, type)                                                                      \
	struct name {                                                                              \
		struct type *lh_first;                                                             \
	}
#define LIST_FOREACH(var, head, field)                                                             \
	for ((var) = (head)->lh_first; (var) != NULL; (var) = (var)->field.le_next)
#define mnl_attr_for_each(attr, nlh, offset)                                                       \
	for ((attr) = mnl_nlmsg_get_payload_offset(nlh, offset);                                   \
			mnl_attr_ok(attr, mnl_nlmsg_get_payload_len(nlh));                         \
			(attr) = mnl_attr_next(attr))
#define mnl_attr_for_each_nested(attr, nest)                                                       \
	for ((attr) = mnl_attr_get_payload(nest);                                                  \
			mnl_attr_ok(attr, mnl_attr_get_payload_len(nest));                         \
			(attr) = mnl_attr_next(attr))
#define json_array_foreach(array, i, value)                                                        \
	for ((i) = 0; (i) < json_array_size(array) && ((value) = json_array_get(array, i)); (i)++)
#define json_object_foreach(object, key, value)                                                    \
	for ((key) = json_object_iter_key(json_object_iter(object));                               \
			(key) != NULL && ((value) = json_object_get(object, key)) != NULL;         \
			(key) = json_object_iter_key(json_object_iter_next(object, NULL)))
