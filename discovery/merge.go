package discovery

import "strings"

// merge puts the findings of several places together: of the same plugin in the same
// version the first file counts.
type merge struct {
	found *Found
	room  []Plugin // as long as can be; found.Plugins is its beginning
	known map[samePlugin]*first
	index map[sameVersion]int // in found.Plugins
}

// samePlugin is a plugin without regard to capitals, as some file systems see it.
type samePlugin struct{ kind, name string }

func same(id ID) samePlugin { return samePlugin{id.Kind, strings.ToLower(id.Name)} }

// first is a plugin's first file.
type first struct {
	kind, name, path string
	overrides        bool // all others
}

type sameVersion struct {
	plugin  *first
	version string
}

// newMerge makes a merge for the scans' findings, with room for them: no more plugins
// than names.
func (f *finder) newMerge(scans []*scan) *merge {
	size := len(f.Overrides)
	for _, scan := range scans {
		size += len(scan.files)
	}
	room := make([]Plugin, size)
	at := len(f.Overrides)
	for _, scan := range scans {
		scan.plugins = room[at : at : at+len(scan.files)]
		at += len(scan.files)
	}
	return &merge{
		found: &Found{Plugins: room[:0], Problems: []*Problem{}, platform: f.Platform, dirs: f.Dirs},
		known: make(map[samePlugin]*first),
		room:  room,
		index: make(map[sameVersion]int, size),
	}
}

// scan adds the plugins of a directory. They move up in the room that all share, into
// the gaps of those left out.
func (m *merge) scan(s *scan) {
	m.found.Problems = append(m.found.Problems, s.problems...)
	var who *first
	for i := range s.plugins {
		plugin := &s.plugins[i]
		// By name the versions of a plugin follow each other.
		if who == nil || who.name != plugin.Name || who.kind != plugin.Kind {
			who = m.first(plugin)
		}
		m.add(who, plugin)
	}
}

// first returns the first file of the plugin, perhaps this one.
func (m *merge) first(plugin *Plugin) *first {
	key := same(plugin.ID)
	who := m.known[key]
	if who == nil {
		who = &first{kind: plugin.Kind, name: plugin.Name, path: plugin.Path}
		m.known[key] = who
	}
	return who
}

func (m *merge) add(who *first, plugin *Plugin) {
	switch {
	case who.overrides:
		m.reject(plugin, ReasonShadowed, who.path)
		return
	case who.name != plugin.Name:
		m.reject(plugin, ReasonCollision, who.path)
		return
	}
	key := sameVersion{who, plugin.Version.String()}
	if i, known := m.index[key]; known {
		m.again(&m.found.Plugins[i], plugin)
		return
	}
	m.index[key] = len(m.found.Plugins)
	m.found.Plugins = append(m.found.Plugins, *plugin)
}

// again chooses between two files of the same plugin in the same version; the first
// is in the list.
func (m *merge) again(first, plugin *Plugin) {
	switch {
	case first.from != plugin.from:
		m.reject(plugin, ReasonShadowed, first.Path)
	case first.Platform.IsZero() && !plugin.Platform.IsZero():
		// A name with this platform is surer.
		m.reject(first, ReasonDuplicate, plugin.Path)
		*first = *plugin
	default:
		m.reject(plugin, ReasonDuplicate, first.Path)
	}
}

func (m *merge) reject(plugin *Plugin, reason Reason, by string) {
	m.found.Problems = append(m.found.Problems, &Problem{
		Path: plugin.Path, Origin: plugin.Origin, Reason: reason, Plugin: plugin.ID, By: by, from: plugin.from,
	})
}

// override adds a file that stands for all versions of its plugin, or the problem
// with it. The first override of a plugin counts.
func (m *merge) override(plugin *Plugin, problem *Problem) {
	key := same(plugin.ID)
	if before := m.known[key]; before != nil {
		m.reject(plugin, ReasonShadowed, before.path)
		return
	}
	m.known[key] = &first{name: plugin.Name, path: plugin.Path, overrides: true}
	if problem != nil {
		problem.Path, problem.Origin, problem.Plugin = plugin.Path, plugin.Origin, plugin.ID
		m.found.Problems = append(m.found.Problems, problem)
		return
	}
	m.found.Plugins = append(m.found.Plugins, *plugin)
}

// result returns the findings, once all is in.
func (m *merge) result() *Found {
	clear(m.room[len(m.found.Plugins):]) // files left out shall keep nothing alive
	return m.found
}
