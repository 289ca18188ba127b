// This program is a plugin in several versions: the linker sets its version and protocols.
package main

import (
	"strconv"
	"strings"

	"github.com/jackfield-go/jackfield/conformance/discovery/greet"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// The linker sets these.
var (
	version   = "0.0.0"
	protocols = "1"
)

func main() {
	var numbers []int
	services := make(map[int][]string)
	for text := range strings.SplitSeq(protocols, ",") {
		if number, err := strconv.Atoi(text); err == nil {
			numbers = append(numbers, number)
			services[number] = []string{greet.Plugin.Name()}
		}
	}
	plugin.Serve(plugin.Config{
		Handshake:   greet.Handshake,
		Versions:    greet.Versions(numbers...),
		Implements:  greet.Plugin.Bind("greetings from " + version),
		Info:        plugin.Info{Name: "loud", Version: version, Services: services},
		RequireHost: ">= 3, < 4",
	})
}
