package host

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/semver"
)

// Info tells which plugin runs, and how it is reached. A field is zero if its value
// is unknown: Version to RequiresHost are known of plugins that announce them, as
// those of this library do (protocol §10). They are the plugin's own claims, without
// unprintable characters.
type Info struct {
	// Name is the plugin's name for errors and logs.
	Name string
	// Path is the absolute path of the program. It is the name in Config.Command where
	// Config.Runner looks a bare name up by itself.
	Path string
	// PID is the process; 0 if it is neither a child of this process nor one that it
	// has attached to.
	PID int

	// Version is the plugin's semantic version, without a leading "v".
	Version string
	// Build tells builds of one version apart, for example by the commit.
	Build string
	// Library is the plugin library and its version, such as "jackfield v0.1.0".
	Library string
	// Language is the language and its version, such as "go1.25.0".
	Language string
	// RequiresHost is the plugin's constraint on Config.HostVersion.
	RequiresHost string

	// Protocol is the protocol of the calls, chosen by the plugin.
	Protocol core.Protocol
	// AppVersion is the application version agreed on.
	AppVersion int
	// Network and Address are the plugin's socket, as the plugin announced it:
	// "unix" and a path, or "tcp" and host:port.
	Network, Address string
	// MutualTLS is whether the connection is secured: by AutoMTLS, or by the
	// certificates of Config.TLS.
	MutualTLS bool
}

// Info returns what is known about the running plugin.
func (c *Client) Info() Info { return c.info }

// LogValue returns the known fields as a group.
func (i Info) LogValue() slog.Value {
	var known []slog.Attr
	known = appendText(known, "name", i.Name)
	known = appendText(known, "path", i.Path)
	if i.PID != 0 {
		known = append(known, slog.Int("pid", i.PID))
	}
	known = append(known, i.attrs()...)
	return slog.GroupValue(append(known, slog.Bool("mutual_tls", i.MutualTLS))...)
}

// attrs returns the known fields for the launch's record too.
func (i Info) attrs() []slog.Attr {
	var known []slog.Attr
	known = appendText(known, "version", i.Version)
	known = appendText(known, "build", i.Build)
	known = appendText(known, "library", i.Library)
	known = appendText(known, "language", i.Language)
	known = appendText(known, "requires_host", i.RequiresHost)
	known = append(known, slog.Int("app_version", i.AppVersion))
	known = appendText(known, "protocol", string(i.Protocol))
	known = appendText(known, "network", i.Network)
	return appendText(known, "address", i.Address)
}

func appendText(attrs []slog.Attr, key, text string) []slog.Attr {
	if text == "" {
		return attrs
	}
	return append(attrs, slog.String(key, text))
}

// info returns what the launch has found out.
func (l *launch) info(line handshake.Line, secured bool) Info {
	about := handshake.ReadAbout(line.Fields)
	version, _ := semver.Parse(about.Version) // another text is no version
	info := Info{
		Name:         l.cfg.Name,
		Path:         programPath(l.cfg.Command, l.process.isChild()),
		Version:      version.String(),
		Build:        about.Build,
		Library:      about.Library,
		Language:     about.Language,
		RequiresHost: about.RequiresHost,
		Protocol:     core.Protocol(line.Protocol),
		AppVersion:   line.AppVersion,
		Network:      line.Network,
		Address:      line.Address,
		MutualTLS:    secured,
	}
	if l.process.isChild() {
		info.PID, _ = strconv.Atoi(l.process.runner.ID())
	}
	return info
}

// require applies the requirements of both sides to each other's version.
func (l *launch) require(line handshake.Line) error {
	about := handshake.ReadAbout(line.Fields)
	if err := fits("host", l.cfg.Require, about.Version); err != nil {
		return err
	}
	return fits("plugin", about.RequiresHost, l.cfg.HostVersion)
}

// fits applies the requirement of a side to the version of the other.
func fits(side, required, version string) error {
	refusal := &core.RequirementError{Side: side, Required: required, Got: version}
	constraint, err := semver.ParseConstraint(required)
	switch {
	case err != nil:
		refusal.Got, refusal.Err = "", err
		return refusal
	case constraint.IsZero():
		return nil
	case version == "":
		return refusal
	}
	parsed, err := semver.Parse(version)
	switch {
	case err != nil:
		refusal.Err = err
		return refusal
	case !constraint.Allows(parsed):
		refusal.Got = parsed.String()
		return refusal
	}
	return nil
}

func (c Config) validateRequirements() (err error) {
	if _, fault := semver.ParseConstraint(c.Require); fault != nil {
		err = fmt.Errorf("the setting Config.Require is %q, no version constraint such as \">= 1.4, < 2\": %w", c.Require, fault)
	}
	if _, fault := semver.Parse(c.HostVersion); c.HostVersion != "" && fault != nil {
		err = errors.Join(err, fmt.Errorf("the setting Config.HostVersion is %q, no semantic version such as 1.4.2: %w", c.HostVersion, fault))
	}
	return err
}

// requirementHint tells developers how a side says its version.
func requirementHint(reason error) string {
	var refusal *core.RequirementError
	switch {
	case !errors.As(reason, &refusal) || refusal.Got != "" || refusal.Err != nil:
		return ""
	case refusal.Side == "plugin":
		return "a host says its version in HostVersion of host.Config"
	}
	return "a plugin says its version in Info.Version of plugin.Config, or is built from a tagged version; " +
		"a host that takes others too leaves Config.Require empty, and looks at Client.Info"
}
