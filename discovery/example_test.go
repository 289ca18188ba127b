package discovery_test

import (
	"context"
	"fmt"
	"os"
	"testing/fstest"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

var ctx = context.Background()

// A host takes these steps before it launches a plugin.
func ExampleResolver_Resolve() {
	search := discovery.Search{
		Naming:   discovery.Naming{App: "greet"},
		Platform: discovery.Platform{OS: "linux", Arch: "amd64"},
		Dirs: []discovery.Dir{{Path: "plugins", Origin: discovery.OriginUser, FS: fstest.MapFS{
			"greet-plugin-loud_v1.2.0":              {Mode: 0o755},
			"greet-plugin-loud_v1.10.0_linux_amd64": {Mode: 0o755},
			"greet-plugin-loud_v2.0.0":              {Mode: 0o755},
			"greet-plugin-loud_v2.1.0":              {Mode: 0o644},
			"greet-plugin-loud_v2.1.0.sha256":       {Mode: 0o644},
		}}},
	}
	found, err := search.Find(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, problem := range found.Problems {
		fmt.Println(problem)
	}
	below2, err := semver.ParseConstraint(">= 1.2, < 2")
	if err != nil {
		fmt.Println(err)
		return
	}
	var resolver discovery.Resolver
	plugin, err := resolver.Resolve(ctx, found, discovery.Request{Name: "loud", Version: below2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plugin.Path)
	// Output:
	// plugins/greet-plugin-loud_v2.1.0: this system cannot execute it (chmod +x makes it executable; on Windows it needs .exe)
	// plugins/greet-plugin-loud_v1.10.0_linux_amd64
}

// These are the places of plugins, without PATH and the current directory.
func ExamplePlaces() {
	places := discovery.Places{App: "greet", LookupEnv: func(string) (string, bool) { return "", false }, Home: os.TempDir()}
	fmt.Println(places.Variable())
	for _, dir := range places.Dirs() {
		if dir.Origin == discovery.OriginPath {
			fmt.Println(dir.Path)
		}
	}
	// Output: GREET_PLUGIN_PATH
}
