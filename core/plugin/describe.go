package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"runtime/debug"
	"strings"
	"unicode"
)

// describeArg is the one argument that asks a plugin to describe itself.
const describeArg = "describe"

// describeForm is the version of the description's form.
const describeForm = 1

// Info is a plugin's description of itself. A host of this library gets the version
// and the build when it launches the plugin (Client.Info of core/host). With the one
// argument "describe", and without the cookie of a host, [Serve] writes the
// description as a JSON object on stdout and serves nothing. Hosts looking for plugins
// ask so (package discovery). The zero value takes the build's records.
type Info struct {
	// Name is the plugin's name. Empty: the last element of the main package's
	// path, if the build recorded that.
	Name string
	// Version is the plugin's semantic version, with or without a leading "v". Empty: the main
	// module's version, if the binary was built from an unmodified tag of it. A version that is not
	// semantic, as "dev", is left out.
	Version string
	// Summary says in one line what the plugin does, as for a list of commands. Line
	// breaks and other unprintable characters become spaces. Empty: none.
	Summary string
	// Build tells this build of the version from others, in at most 512 bytes. Empty:
	// the main module's version and the commit as the build recorded them, such as
	// "v1.4.2 3f2a9c1d5b7e modified".
	Build string
	// Services are the names of the plugin's services, for each application
	// version. For a version missing in the map, the transport returns the
	// names it carries of those in Config.Implements.
	Services map[int][]string
}

// The description, in the order of its keys; docs/discovery.md has the form.
type (
	description struct {
		Describe     int                `json:"describe"`
		Name         string             `json:"name,omitempty"`
		Version      string             `json:"version,omitempty"`
		Summary      string             `json:"summary,omitempty"`
		RequiresHost string             `json:"requires_host,omitempty"`
		Protocols    []describedVersion `json:"protocols"`
		Build        *describedBuild    `json:"build,omitempty"`
	}

	describedVersion struct {
		Version    int      `json:"version"`
		Transports []string `json:"transports"`
		Services   []string `json:"services,omitempty"`
	}

	describedBuild struct {
		Go       string `json:"go,omitempty"`
		Path     string `json:"path,omitempty"`
		Module   string `json:"module,omitempty"`
		Version  string `json:"version,omitempty"`
		OS       string `json:"os,omitempty"`
		Arch     string `json:"arch,omitempty"`
		Revision string `json:"revision,omitempty"`
		Time     string `json:"time,omitempty"`
		Modified bool   `json:"modified,omitempty"`
	}
)

// asksToDescribe reports whether the program was started to describe itself. A
// host that starts it to serve sets the cookie, whatever the arguments are.
func asksToDescribe(env Env, cfg Config) bool {
	if cfg.NoDescribe || len(env.Args) != 1 || env.Args[0] != describeArg {
		return false
	}
	cookie, _ := env.Lookup(cfg.Handshake.MagicCookieKey)
	return cookie == ""
}

// describe writes the description.
func describe(w io.Writer, cfg Config) error {
	build, _ := debug.ReadBuildInfo()
	answer, err := json.Marshal(cfg.describe(build))
	if err != nil {
		return fmt.Errorf("describe the plugin: %w", err)
	}
	if _, err := w.Write(append(answer, '\n')); err != nil {
		return fmt.Errorf("describe the plugin: %w", err)
	}
	return nil
}

// describe makes the description; build is nil without build records.
func (c Config) describe(build *debug.BuildInfo) description {
	d := description{
		Describe:     describeForm,
		Name:         c.Info.Name,
		Version:      c.version(build),
		Summary:      printable(c.Info.Summary),
		RequiresHost: c.requirement(),
	}
	for _, number := range c.Versions.Numbers() {
		d.Protocols = append(d.Protocols, c.describeVersion(number))
	}
	if build == nil {
		return d
	}
	d.Build = describeBuild(build)
	if d.Name == "" && build.Path != "" {
		d.Name = path.Base(build.Path)
	}
	return d
}

func (c Config) describeVersion(number int) describedVersion {
	v := describedVersion{Version: number, Services: c.Info.Services[number]}
	for _, protocol := range c.Versions.Protocols(number) {
		v.Transports = append(v.Transports, string(protocol))
	}
	if v.Services == nil {
		v.Services = names(c.Versions[number], c.Implements)
	}
	return v
}

func describeBuild(info *debug.BuildInfo) *describedBuild {
	b := &describedBuild{Go: info.GoVersion, Path: info.Path, Module: info.Main.Path, Version: info.Main.Version}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "GOOS":
			b.OS = setting.Value
		case "GOARCH":
			b.Arch = setting.Value
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// printable returns text that a host accepts in a description.
func printable(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }), " ")
}
