// Package plugin is a plugin's side: [Serve] is the whole of its main function.
//
//	func main() {
//		plugin.Serve(plugin.Config{
//			Handshake:  greeter.Handshake,
//			Versions:   greeter.Versions,
//			Implements: greeter.Plugin.Bind(english{}),
//		})
//	}
//
// Serve checks that a host of the application started the program, listens on a
// private socket, announces it to the host in one line on stdout, and answers
// calls until the host asks the plugin to leave. It works under hosts built on
// Jackfield and on hashicorp/go-plugin.
//
// While Serve runs, what the program prints on os.Stdout and os.Stderr goes to
// the host, apart from the log, which is what [log/slog] records become that are
// written with the logger of [NewLogHandler].
package plugin
