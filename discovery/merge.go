package discovery

import (
	"strings"
)

// merge puts what was found in several places together: of the same plugin in
// the same version the first one counts.
type merge struct {
	found      *Found
	known      map[sameVersion]int // index in found.Plugins
	spelling   map[samePlugin]spelling
	overridden map[samePlugin]string // the override's path
}

type samePlugin struct{ kind, name string }

// spelling is how the first file of a plugin writes its name.
type spelling struct{ name, path string }

type sameVersion struct {
	samePlugin

	version string
}

// newMerge makes a merge of about so many plugins.
func newMerge(platform Platform, plugins int) *merge {
	return &merge{
		found:      &Found{Plugins: make([]Plugin, 0, plugins), Problems: []*Problem{}, platform: platform},
		known:      make(map[sameVersion]int, plugins),
		spelling:   make(map[samePlugin]spelling),
		overridden: make(map[samePlugin]string),
	}
}

// same is the plugin without regard to capitals, as some file systems see it.
func same(id ID) samePlugin { return samePlugin{id.Kind, strings.ToLower(id.Name)} }

func (m *merge) problems(problems []*Problem) {
	m.found.Problems = append(m.found.Problems, problems...)
}

func (m *merge) reject(plugin *Plugin, reason Reason, by string) {
	m.found.Problems = append(m.found.Problems, &Problem{
		Path: plugin.Path, Origin: plugin.Origin, Reason: reason, Plugin: plugin.ID, By: by,
	})
}

// override adds a file that stands for all versions of its plugin, or the
// problem with it. The first override of a plugin counts.
func (m *merge) override(plugin *Plugin, problem *Problem) {
	if by, double := m.overridden[same(plugin.ID)]; double {
		m.reject(plugin, ReasonShadowed, by)
		return
	}
	m.overridden[same(plugin.ID)] = plugin.Path
	if problem != nil {
		problem.Path, problem.Origin, problem.Plugin = plugin.Path, plugin.Origin, plugin.ID
		m.found.Problems = append(m.found.Problems, problem)
		return
	}
	m.found.Plugins = append(m.found.Plugins, *plugin)
}

func (m *merge) add(plugin *Plugin) {
	who := same(plugin.ID)
	if by, overridden := m.overridden[who]; overridden {
		m.reject(plugin, ReasonShadowed, by)
		return
	}
	if first, known := m.spelling[who]; !known {
		m.spelling[who] = spelling{plugin.Name, plugin.Path}
	} else if first.name != plugin.Name {
		m.reject(plugin, ReasonCollision, first.path)
		return
	}
	key := sameVersion{who, plugin.Version.String()}
	i, known := m.known[key]
	if !known {
		m.known[key] = len(m.found.Plugins)
		m.found.Plugins = append(m.found.Plugins, *plugin)
		return
	}
	first := &m.found.Plugins[i]
	switch {
	case first.dir != plugin.dir || first.Origin != plugin.Origin:
		m.reject(plugin, ReasonShadowed, first.Path)
	case first.Platform.IsZero() && !plugin.Platform.IsZero():
		// The one that says that it is for this platform is more sure to be.
		m.reject(first, ReasonDuplicate, plugin.Path)
		m.found.Plugins[i] = *plugin
	default:
		m.reject(plugin, ReasonDuplicate, first.Path)
	}
}
