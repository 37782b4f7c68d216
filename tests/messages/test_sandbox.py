"""The sandbox: templates reach nothing but their data, and come to an end."""

from __future__ import annotations

import resource
import time

import pytest
from message_material import composer, names

from engine.messages.compose import RenderingFailed

REACHING = {
    "class": "{{ customer.__class__.__mro__ }}",
    "class-by-key": "{{ customer['__class__'].x }}",
    "class-of-a-text": "{{ ''.__class__ }}",
    "class-of-a-text-by-key": "{{ ''['__class__'] }}",
    "class-by-map": "{{ customer.items | map(attribute='__class__') | join }}",
    "class-of-a-list": "{{ [].__class__ }}",
    "view's-own-data": "{{ customer.data.x }}",
    "globals-of-a-function": "{{ range.__globals__ }}",
    "globals-of-self": "{{ self.__init__.__globals__ }}",
    "owner-of-a-method": "{{ track.__self__ }}",
    "inside-of-a-link": "{{ unsubscribe_url.ref }}",
    "inside-of-a-loop": "{% for i in [1] %}{{ loop._iterable }}{% endfor %}",
    "inside-of-a-namespace": "{% set n = namespace() %}{{ n.__class__ }}",
    "inside-of-a-module": "{% import 'macros.html' as m %}{{ m._body_stream }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "format-method": "{{ '{0.__class__}'.format(customer) }}",
    "setting-a-fact": "{% set customer.x = 1 %}",
    "passwd": "{% include '/etc/passwd' %}",
    "parent-folder": "{% include '../../etc/passwd' %}",
    "printing-a-function": "{{ track }}",
    "printing-everything": "{{ customer }}",
    "iterating-over-everything": "{% for k in customer %}{{ k }}{% endfor %}",
    "javascript-link": "{{ track('javascript:alert(1)') }}",
    "call-of-no-macro": "{% call range(3) %}{% endcall %}",
}
EATING = {
    "long-text": "{{ 'x' * 1000000000 }}",
    "padded-number": "{{ '%0500000000d' % 1 }}",
    "center-method": "{{ 'x'.center(500000000) }}",
    "long-range": "{{ range(1000000000) | list }}",
    "nested-loops": "{% for i in range(1000) %}{% for j in range(1000) %}x{% endfor %}{% endfor %}",
    "loops-in-a-macro": "{% macro m() %}{% for i in range(999) %}{{ i }}{% endfor %}{% endmacro %}"
    "{% for i in range(999) %}{{ m() }}{% endfor %}",
    "doubling-by-concatenation": "{% set x = 'ab' %}" + "{% set x = x ~ x %}" * 40 + "{{ x | length }}",
    "doubling-by-plus": "{% set x = 'ab' %}" + "{% set x = x + x %}" * 40 + "{{ x | length }}",
    "doubling-a-list": "{% set x = [1] %}" + "{% set x = x + x %}" * 40 + "{{ x | length }}",
    "doubling-by-set-blocks": "{% set x %}ab{% endset %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40,
    "doubling-by-macros": "{% macro m0() %}x{% endmacro %}"
    + "".join(f"{{% macro m{i + 1}() %}}{{{{ m{i}() }}}}{{{{ m{i}() }}}}{{% endmacro %}}" for i in range(40))
    + "{{ m40() }}",
    "growing-by-replace": "{% set x = 'a' %}" + "{% set x = x | replace('a', 'aaaaaaaaaa') %}" * 20 + "{{ x }}",
    "growing-by-join": "{% set x = 'a' | replace('a', customer.long) %}{{ range(999) | join(x) }}",
    "squaring": "{% set x = 3 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
    "power": "{{ 10 ** 1000000000 }}",
    "power-of-power": "{{ 9 ** 99 ** 99 }}",
    "endless-include": "{% include 'mail.html' %}",
    "endless-macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "wide-date": "{{ '2026-01-01' | date('%0500000000d') }}",
    "many-decimals": "{{ 1 | round(500000000) }}",
    "many-digits": "{{ 1 | number(500000000) }}",
    "megabyte-of-data": "{{ customer.long }}{{ customer.long }}",
    "megabyte-in-filters": "{% for i in range(900) %}{% if customer.long | upper == 'x' %}{% endif %}{% endfor %}",
}
FILES = {"macros.html": "{% macro x() %}X{% endmacro %}"}
CUSTOMER = {"x": "Anna", "items": [{"name": "A"}], "long": "y" * 600_000}


@pytest.mark.parametrize("body", REACHING.values(), ids=REACHING.keys())
def test_what_reaches_beyond_the_data_fails(body: str) -> None:
    with pytest.raises(RenderingFailed):
        composer(body, name="mail.html", files=FILES).compose(names(**CUSTOMER))


@pytest.mark.parametrize("body", EATING.values(), ids=EATING.keys())
def test_what_eats_time_or_memory_ends_soon(body: str) -> None:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(RenderingFailed):
        composer(body, name="mail.html", files=FILES).compose(names(**CUSTOMER))
    assert time.process_time() - started < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


def test_a_key_is_found_where_a_mapping_has_a_method_of_that_name() -> None:
    body = (
        "<p>{% for item in customer.items %}{{ item.keys }}{% endfor %}{{ customer.get }}{{ customer.pop.values }}</p>"
    )
    composed = composer(body, name="mail.html").compose(names(items=[{"keys": 1}], get=2, pop={"values": 3}))
    assert composed.values == '["1","2","3"]'


USEFUL = {
    "{{ customer.x | upper }} {{ customer.x | default('y') }}": "ANNA Anna",
    "{{ customer.x | truncate(3) }} {{ customer.x[:2] }} {{ customer.x[0] }}": "An… An A",
    "{{ 1234.5 | number(2, ',', '.') }} {{ (2 / 3) | round(2) }} {{ '7' | int + 1 }}": "1.234,50 0.67 8",
    "{{ '2026-03-04' | date('%d.%m.%Y') }}": "04.03.2026",
    "{{ customer.list | sort | join('-') }} {{ customer.list | length }} {{ customer.list | last }}": "1-2-3 3 2",
    "{% for n in customer.list %}{{ loop.index }}:{{ n }}{% if not loop.last %},{% endif %}{% endfor %}": "1:3,2:1,3:2",
    "{% for n in customer.list if n > 1 %}{{ loop.length }}{{ n }}{% endfor %}": "2322",
    "{% set n = namespace(t=0) %}{% for i in customer.list %}{% set n.t = n.t + i %}{% endfor %}{{ n.t }}": "6",
    "{{ customer.rows | selectattr('a', 'gt', 1) | map(attribute='a') | list | first }}": "2",
    "{{ 'yes' if 'nn' in customer.x else 'no' }} {{ 'a' ~ 1 ~ customer.nothing }}": "yes a1",
    "{% for i in range(2) %}{{ i }}{% endfor %} {{ {'a': 5}.a }} {{ customer.x | e | escape }}": "01 5 Anna",
}


@pytest.mark.parametrize("body", USEFUL, ids=range(len(USEFUL)))
def test_what_marketers_need_is_there(body: str) -> None:
    from message_material import both

    facts = {"x": "Anna", "list": [3, 1, 2], "rows": [{"a": 1}, {"a": 2}]}
    assert both(composer(body, name="mail.html"), facts)[0].text == f"{USEFUL[body]}\n"
