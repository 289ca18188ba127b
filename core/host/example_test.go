package host_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
)

var greeterHandshake = core.Handshake{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "b7c1a0de"}

// inProcess stands for a program, which an example has none of.
func inProcess(cmd runner.Command) (runner.Runner, error) {
	greet := func(_ context.Context, name string) (string, error) { return "Hello, " + name + "!", nil }
	return plugintest.NewPlugin(cmd, plugin.Config{
		Handshake: greeterHandshake,
		Versions: core.Versions{1: {&faketransport.Transport{
			Objects: map[string]faketransport.Object{"greeter": greet},
		}}},
	}), nil
}

// A host launches a plugin, dispenses what it serves, calls it, and ends it.
func ExampleLaunch() {
	ctx := context.Background()
	client, err := host.Launch(ctx, host.Config{
		Handshake: greeterHandshake,
		Versions:  core.Versions{1: {&faketransport.Transport{}}}, // a real one, such as transportnetrpc.New
		Command:   host.Command("./greeter-plugin"),
		Runner:    inProcess, // left out where a program is run
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	greeter, err := host.Dispense(ctx, client, core.Define[*faketransport.Client]("greeter"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(greeter.Call(ctx, "Ada"))
	// Output: Hello, Ada! <nil>
}

// With closes the plugin when the function has ended, however it ends.
func ExampleWith() {
	err := host.With(context.Background(), host.Config{
		Handshake: greeterHandshake,
		Versions:  core.Versions{1: {&faketransport.Transport{}}}, // a real one, such as transportnetrpc.New
		Command:   host.Command("./greeter-plugin"),
		Runner:    inProcess, // left out where a program is run
	}, func(ctx context.Context, client *host.Client) error {
		greeter, err := host.Dispense(ctx, client, core.Define[*faketransport.Client]("greeter"))
		if err != nil {
			return err
		}
		greeting, err := greeter.Call(ctx, "Ada")
		fmt.Println(greeting)
		return err
	})
	fmt.Println(err)
	// Output:
	// Hello, Ada!
	// <nil>
}

// What went wrong is reached with errors.As.
func ExampleLaunchError() {
	_, err := host.Launch(context.Background(), host.Config{
		Handshake: greeterHandshake,
		Versions:  core.Versions{2: {&faketransport.Transport{}}},
		Command:   host.Command("./greeter-plugin"),
		Runner:    inProcess,
	})
	var failure *host.LaunchError
	var mismatch *core.VersionError
	if errors.As(err, &failure) && errors.As(err, &mismatch) {
		fmt.Println("stage:", failure.Stage)
		fmt.Println("the host knows", mismatch.Host, "and the plugin", mismatch.Plugin)
	}
	// Output:
	// stage: negotiate
	// the host knows [2] and the plugin [1]
}
