// Package loghclog joins hashicorp/go-hclog and log/slog, both ways.
//
// The rest of Jackfield logs through log/slog. An application that already has an
// hclog.Logger hands it over as a slog.Handler:
//
//	log := slog.New(loghclog.NewHandler(hclogLogger, loghclog.HandlerOptions{}))
//
// A library that asks for an hclog.Logger gets one that writes to the application's slog
// handler:
//
//	library.SetLogger(loghclog.NewLogger(slog.Default().Handler(), loghclog.LoggerOptions{}))
//
// # Levels
//
// hclog's five levels map to slog's four and [LevelTrace]. A slog level between two hclog
// levels becomes the lower one, so that no record looks more severe than it is.
//
// # Names
//
// slog has no names. A logger's name ("http.server") is the attribute [NameKey] of its
// records. In the other direction that attribute, outside any group, becomes the name of
// the hclog.Logger. hclog itself writes names as JSON under this key, and plugins send
// names to their hosts under it.
//
// # Times
//
// An hclog.Logger writes the current time. The own time of a plugin's record is the argument
// [TimestampKey], as under a host built on hashicorp/go-plugin.
//
// # Groups
//
// hclog has no groups. The key of an attribute in a group gets the group's name and a dot
// as its prefix ("request.method").
//
// # Round trips
//
// A handler on top of a logger of NewLogger writes directly to the handler below it.
// Nothing is lost, even values that hclog cannot express.
package loghclog
