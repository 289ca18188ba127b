package notely

import "github.com/jackfield-go/jackfield/core"

// cookieValue tells plugins that notely started them. It is no secret.
const cookieValue = "0bcb42cbe128e85ec44a5d3c9a6321b9f1e759863d31ec7f9b63201fe80368a9"

// Handshake identifies the application to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "NOTELY_PLUGIN_COOKIE",
	MagicCookieValue: cookieValue,
}

// Versions returns the protocol versions, all of which plugins and the
// application speak: they agree on the highest in common. A plugin passes its
// implementation, the application nil. A change that old programs cannot
// understand is a new version here, with a .proto file of its own.
func Versions(impl NoteStore) core.Versions {
	return core.Versions{
		1: {version1(impl)},
		2: {version2(impl)},
	}
}
