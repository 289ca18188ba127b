// Package host is a host's side: [Launch] starts a plugin as a process of its
// own and connects to it, and the [Client] that it returns makes the values with
// which the host calls the plugin.
//
//	client, err := host.Launch(ctx, host.Config{
//		Handshake: greeter.Handshake,
//		Versions:  greeter.Versions(nil),
//		Command:   host.Command("./greeter-plugin"),
//		AutoMTLS:  host.MTLSRequired,
//	})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//
//	g, err := host.Dispense[greeter.Greeter](ctx, client, "greeter")
//
// A launch that fails leaves nothing behind, and its error, a [LaunchError], says
// what the plugin did instead. Plugins may be built on Jackfield, on
// hashicorp/go-plugin, or in another language.
package host
