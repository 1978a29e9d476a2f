#include "tables/operations/transact.h"

#include "tables/value/value_json.h"

void transact_cancel(struct job *c, const struct transact_reason *reasons, size_t n)
{
	struct refusal no = {"TransactionCanceledException", NULL};
	struct json_out o = job_json(64 * n);
	const char *codes = "";
	struct blob *more;
	struct span members;

	json_out_raw(&o, ",\"CancellationReasons\":[");
	for (size_t i = 0; i < n; i++) {
		const struct transact_reason *r = &reasons[i];
		const char *code = r->code ? r->code : "None";

		codes = arena_printf(c->arena, "%s%s%s", codes, i > 0 ? ", " : "", code);
		json_out_raw(&o, i > 0 ? ",{" : "{");
		json_out_key(&o, "Code");
		json_out_string(&o, span_str(code));
		if (r->message != NULL) {
			json_out_key(&o, "Message");
			json_out_string(&o, span_str(r->message));
		}
		if (r->item != NULL) {
			json_out_key(&o, "Item");
			value_write_map(&o, r->item);
		}
		json_out_raw(&o, "}");
	}
	json_out_raw(&o, "]");
	more = json_out_end(&o);
	members = arena_copy(c->arena, blob_span(more));
	blob_unref(more);
	no.message =
		arena_printf(c->arena,
			     "Transaction cancelled, please refer cancellation reasons "
			     "for specific reasons [%s]",
			     codes);
	job_refuse_with(c, &no, members);
}

bool transact_check_twice(struct job *c, const struct item_place *places, size_t n)
{
	static const struct refusal twice = {
		"ValidationException",
		"Transaction request cannot include multiple operations on one item"};

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (places[i].table == places[k].table &&
			    span_eq(places[i].key, places[k].key)) {
				job_refuse(c, &twice);
				return false;
			}
	return true;
}
