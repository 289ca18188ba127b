// Package host is a host's side: it starts a plugin as a process of its own and
// connects to it. The [Client] makes the values for the host's calls of the
// plugin.
//
//	err := host.With(ctx, host.Config{
//		Handshake: greeter.Handshake,
//		Versions:  greeter.Versions,
//		Command:   host.Command("./greeter-plugin"),
//		AutoMTLS:  host.MTLSRequired,
//	}, func(ctx context.Context, client *host.Client) error {
//		g, err := host.Dispense(ctx, client, greeter.Plugin) // a greeter.Greeter
//		…
//	})
//
// [With] launches a plugin and closes it when the function has ended. A plugin
// with a longer life comes from [Launch]; its owner closes the client.
//
// A failed launch leaves nothing behind, and its error, a [LaunchError], tells
// the reason and the plugin's last output. Plugins may be built on Jackfield, on
// hashicorp/go-plugin, or in another language.
package host
