// Package loghclog joins hashicorp/go-hclog and log/slog, both ways.
//
// The rest of Jackfield logs through log/slog. An application that already has
// an hclog.Logger hands it over as a slog.Handler:
//
//	log := slog.New(loghclog.NewHandler(hclogLogger, loghclog.HandlerOptions{}))
//
// A library that asks for an hclog.Logger gets one that writes to the
// application's slog handler:
//
//	library.SetLogger(loghclog.NewLogger(slog.Default().Handler(), loghclog.LoggerOptions{}))
//
// # Levels
//
// hclog's five levels are slog's four and [LevelTrace]. A level of slog's that
// lies between two of hclog's becomes the lower one, so that no record passes
// for more than it is.
//
// # Names
//
// slog has no names. A logger's name ("http.server") is the attribute
// [NameKey] of its records; in the other direction that attribute, outside any
// group, becomes the name of the hclog.Logger. It is the key under which hclog
// itself writes names as JSON, and plugins to their hosts.
//
// # Groups
//
// hclog has no groups. The key of an attribute in one gets the group's name and
// a dot in front ("request.method").
//
// # Round trips
//
// A handler on top of a logger of NewLogger goes straight to the handler below
// it: nothing is lost, whatever hclog could not have said.
package loghclog
