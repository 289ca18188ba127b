"""A plugin of notely in Python: it keeps items in memory."""

import logging
import threading

import serving
from serving import message

# The values of handshake.go.
COOKIE = ("NOTELY_PLUGIN_COOKIE", "0bcb42cbe128e85ec44a5d3c9a6321b9f1e759863d31ec7f9b63201fe80368a9")


class Scribe:
    """Implements notely.v2.NoteStoreService. Calls come on several threads."""

    def __init__(self, broker):
        self._broker, self._lock, self._items = broker, threading.Lock(), []

    def Add(self, request, context):
        if request.approver_id:
            with self._broker.borrow(request.approver_id, "notely.v2.ApproverService", context) as approver:
                approver.Approve(message("notely.v2.ApproveRequest")(text=request.text))
        with self._lock:
            item = {"id": str(len(self._items) + 1), "text": request.text}
            self._items.append(item)
        logging.info("stored an item", extra={"id": item["id"]})
        return message("notely.v2.AddResponse")(item=item)

    def List(self, request, context):
        for item in self._items:  # it only grows
            yield message("notely.v2.ListResponse")(item=item)


if __name__ == "__main__":
    serving.serve("scribe", "0.1.0", COOKIE, "note-store", {2: {"notely.v2.NoteStoreService": Scribe}})
