package handshake_test

import (
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// A host reads a plugin's standard output line by line until it finds the handshake line.
func Example_host() {
	output := []string{
		"loading the configuration",
		"50%|#####     |",
		"1|2|unix|/tmp/plugin123/s|netrpc|",
	}
	for _, text := range output {
		if !handshake.IsCandidate(text) {
			fmt.Println("noise:", text)
			continue
		}
		line, err := handshake.Parse(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("version", line.AppVersion, "over", line.Protocol, "at", line.Network, line.Address)
	}
	// Output:
	// noise: loading the configuration
	// noise: 50%|#####     |
	// version 2 over netrpc at unix /tmp/plugin123/s
}

// A plugin reads the host's variables, chooses a version, listens, and answers.
func Example_plugin() {
	variables := map[string]string{"PLUGIN_PROTOCOL_VERSIONS": "2,3"}
	env, err := handshake.ReadEnvironment(func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	version, _ := handshake.Negotiate([]int{1, 2}, env.Versions)
	line, err := handshake.Line{AppVersion: version, Network: "unix", Address: "/tmp/plugin123/s"}.Format()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(line)
	// Output: 1|2|unix|/tmp/plugin123/s|netrpc|
}

func ExampleParse_errors() {
	for _, text := range []string{"2|1|unix|/tmp/s|grpc|", "1|x|unix|/tmp/s|grpc|"} {
		_, err := handshake.Parse(text)
		var core *handshake.CoreVersionError
		var parse *handshake.ParseError
		switch {
		case errors.As(err, &core):
			fmt.Println("core version", core.Got)
		case errors.As(err, &parse):
			fmt.Printf("%s: %q %s\n", parse.Field, parse.Value, parse.Reason)
		}
	}
	// Output:
	// core version 2
	// application version: "x" is not a decimal number from 0 to 2147483647
}

func ExampleEnvironment_Variables() {
	for _, variable := range (handshake.Environment{Versions: []int{2, 1}}).Variables() {
		fmt.Println(variable)
	}
	// Output:
	// PLUGIN_PROTOCOL_VERSIONS=1,2
	// PLUGIN_MIN_PORT=10000
	// PLUGIN_MAX_PORT=25000
}

func ExampleStrip() {
	inherited := []string{"HOME=/root", "PLUGIN_CLIENT_CERT=somebody else's"}
	fmt.Println(handshake.Strip(inherited))
	// Output: [HOME=/root]
}

func ExampleSplitGlued() {
	noise, rest, ok := handshake.SplitGlued("loading...1|1|unix|/tmp/s|netrpc|")
	fmt.Printf("%q %q %t\n", noise, rest, ok)
	// Output: "loading..." "1|1|unix|/tmp/s|netrpc|" true
}

// A plugin without a common version sends its complete version list to a host
// that asked for it.
func ExampleAppendExtension() {
	offered := []int{1, 2}
	env := handshake.Environment{Versions: []int{3}, Fields: []string{handshake.FieldVersions}}
	line := handshake.Line{Network: "unix", Address: "/tmp/s"}
	var common bool
	line.AppVersion, common = handshake.Negotiate(offered, env.Versions)
	if !common && env.Asks(handshake.FieldVersions) {
		fields, err := handshake.AppendExtension(nil, handshake.FieldVersions, handshake.FormatVersions(offered))
		if err != nil {
			fmt.Println(err)
			return
		}
		line.Fields = fields
	}
	text, _ := line.Format()
	fmt.Print(text)
	read, _ := handshake.Parse(text)
	list, _ := handshake.Extension(read.Fields, handshake.FieldVersions)
	fmt.Println(handshake.ParseVersions(list))
	// Output:
	// 1|1|unix|/tmp/s|netrpc|||versions=1,2
	// [1 2]
}
