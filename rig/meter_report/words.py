"""English and French of a meter's report: its words, numbers and dates, as they are written in Canada.

French words of quantities are those of the notice AE-0764. Dates are CAN/CSA-Z234.4's (2026-11-30) in both; a time is
14:05, in French 14 h 05; a number has its decimal point or comma, and no separator of thousands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from rig.meter_report.french_log import EVENTS, details_in_french
from rig.results.event_text import details_text

LEAST_DECIMALS = 3
"""Of a register; more where it has more."""


class Language(StrEnum):
    """Language of a report."""

    EN = "en"
    FR = "fr"


_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTHS_FR = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip

_FRENCH = {
    "Meter report": "Rapport du compteur",
    "Meter": "Compteur",
    "Billing": "Facturation",
    "present registers": "registres actuels",
    "Present registers": "Registres actuels",
    "Previous seasons": "Saisons précédentes",
    "Demand resets": "Remises à zéro de la puissance",
    "Self-reads": "Lectures automatiques",
    "Demand": "Puissance",
    "Highest demands": "Puissances les plus élevées",
    "Time of use": "Tarification selon l'heure",
    "Load profile": "Profil de charge",
    "Months": "Mois",
    "Events": "Événements",
    "Where this comes from": "Provenance",
    "quantity": "grandeur",
    "total": "total",
    "rate": "tarif",
    "rate {}": "tarif {}",
    "all": "tous",
    "present": "actuelle",
    "previous": "précédente",
    "maximum": "maximale",
    "at": "le",
    "cumulative": "cumulative",
    "continuous cumulative": "cumulative continue",
    "season": "saison",
    "resets": "remises à zéro",
    "since the one before": "depuis la précédente",
    "max. {}": "max. {}",
    "channel": "canal",
    "intervals": "intervalles",
    "not readable": "illisibles",
    "highest interval": "intervalle le plus élevé",
    "ended at": "fin",
    "load factor": "facteur de charge",
    "{}: {}": "{} : {}",
    "starts {}": "commence le {}",
    "outage {} to {}": "panne du {} au {}",
    "clock set {} to {}": "horloge réglée du {} au {}",
    "{} words before the first date belong to no known day": "{} mots d'avant la première date ne sont d'aucun jour",
    "and {} more": "et {} de plus",
    "rate changes are left out: a CSV has them": "sans les changements de tarif, qu'un fichier CSV donne",
    "month": "mois",
    "event": "événement",
    "details": "détails",
    "{} from {} to {}": "{}, du {} au {}",
    "intervals of {} min: {}, from {} to {}": "intervalles de {} min : {}, du {} au {}",
    "gaps of an interval or more: {}, the longest from {} to {}":
        "lacunes d'un intervalle ou plus : {}, la plus longue du {} au {}",
    "intervals at a time that was there already, without a setting of the clock: {}, the first to {}":
        "intervalles à une heure déjà passée, sans réglage de l'horloge : {}, le premier jusqu'au {}",
    "{}, day of the highest interval": "{}, journée de l'intervalle le plus élevé",
    "{}, last whole day": "{}, dernière journée complète",
    "{}, last week": "{}, dernière semaine",
    "{}, {} by day": "{}, {} par jour",
    "{} by month": "{} par mois",
    "{}, duration curve": "{}, courbe de charge classée",
    "{}, hour by hour (heat map)": "{}, heure par heure (carte thermique)",
    "{} by rate": "{} par tarif",
    "hour": "heure",
    "% of the time": "% du temps",
    "no data": "aucune donnée",
    "mean of an interval": "moyenne d'un intervalle",
    "mean of {} min": "moyenne de {} min",
    "Registers are the meter's own: where it has transformers, multiply by their ratios. Times: {}.":
        "Les registres sont ceux du compteur : s'il a des transformateurs, multiplier par leurs rapports. "
        "Heures : {}.",
    "Times are those of {}.": "Heures : {}.",
    "store {}": "mémoire (store) {}",
    "reading {}": "lecture {}",
    "file {}": "fichier {}",
    "Read from store {}.": "Lu dans la mémoire (store) {}.",
    "Read from reading {}.": "Lu dans la lecture {}.",
    "Read from file {}.": "Lu dans le fichier {}.",
    "of DGCOM this report has energy alone: blocks of demand and load profile are kept as they came":
        "de DGCOM, ce rapport n'a que l'énergie : les blocs de puissance et de profil de charge restent tels quels",
    "meter's local time": "heure locale du compteur",
    "There is no load profile.": "Il n'y a pas de profil de charge.",
    "The load profile has no interval.": "Le profil de charge n'a aucun intervalle.",
    "There are no registers.": "Il n'y a pas de registres.",
    "the newest {} of {}": "les {} plus récents sur {}",
    "the newest {} of {}: a CSV has all": "les {} plus récentes sur {} : un fichier CSV les donne toutes",
    "sheet {} of {}": "page {} de {}",
    "not known": "inconnu",
    "none": "aucun",
    "yes": "oui",
    "no": "non",
    "model": "modèle",
    "firmware": "micrologiciel",
    "serial": "numéro de série",
    "form": "forme",
    "class": "classe",
    "program": "programme",
    "simulated": "simulé",
    "fidelity": "fidélité",
    "calibrated": "étalonné",
    "version": "version",
    "build": "configuration du FPGA",
    "configuration": "configuration",
    "calibration": "étalonnage",
    "seed": "germe",
    "begun utc": "début (UTC)",
    "save": "sauvegarde",
    "made by": "fait par",
    "read from": "lecture, début",
    "read until": "lecture, fin",
    "port": "port",
    "address": "adresse",
    "protocol": "protocole",
    "reader": "lecteur",
    "password": "mot de passe",
    "sha256 of the reading": "sha256 de la lecture",
    "meter's clock": "horloge du compteur",
    "flags": "indicateurs",
    "SIMULATED": "SIMULÉ",
    "UNCALIBRATED": "NON ÉTALONNÉ",
}  # fmt: skip

_CODED = re.compile(r"^event(?= \d+$)")
"""An event of which only the code is known."""

_QUANTITY_FR = (
    ("demand resets", "remises à zéro"),
    ("times programmed", "programmations"),
    ("min on battery", "min sur pile"),
    ("outages", "pannes"),
    ("sags", "creux"),
    ("swells", "surtensions"),
    ("vector", "vectorielle"),
    ("neutral", "neutre"),
    ("unit", "unité"),
    ("either way", "dans les deux sens"),
    ("net by direction", "nette selon le sens"),
    ("td lagging", "en retard (td)"),
    ("td leading", "en avance (td)"),
    ("delivered", "fournie"),
    ("received", "reçue"),
    ("lagging", "en retard"),
    ("leading", "en avance"),
    ("net", "nette"),
    ("rms", "efficace"),
    ("input", "entrée"),
    ("demand", "puissance"),
    ("of an earlier program", "d'un programme antérieur"),
)
"""Parts of a quantity's name, in French as the notice has them."""

_FLAGS_FR = {
    "short": "court", "long": "long", "outage": "panne", "clock set": "horloge réglée", "damaged": "illisible",
    "doubtful": "douteux",
}  # fmt: skip


class Words:
    """Words of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    @property
    def french(self) -> bool:
        """True for French."""
        return self.language is Language.FR

    def say(self, phrase: str, *filled: object) -> str:
        """Give a phrase, its places filled."""
        found = _FRENCH.get(phrase, phrase) if self.french else phrase
        return found.format(*filled) if filled else found

    def number(self, value: Decimal | None) -> str:
        """Write a figure with all its digits that are not zeros at the end, and at least three after the point."""
        if value is None:
            return "–"
        whole, _, decimals = f"{value:f}".partition(".")
        decimals = decimals.rstrip("0").ljust(LEAST_DECIMALS, "0")
        return self.figure(f"{whole}.{decimals}")

    def figure(self, digits: str) -> str:
        """Write the digits of a figure with the language's point."""
        return digits.replace(".", ",") if self.french else digits

    def day(self, at: date) -> str:
        """Write a date."""
        return f"{at.year:04}-{at.month:02}-{at.day:02}"

    def month(self, at: date) -> str:
        """Write a month and its year."""
        return f"{(_MONTHS_FR if self.french else _MONTHS_EN)[at.month - 1]} {at.year}"

    def time(self, at: datetime | None) -> str:
        """Write a date and a time, seconds only where there are any."""
        if at is None:
            return "–"
        hours, minutes, seconds = f"{at.hour:02}", f"{at.minute:02}", f"{at.second:02}"
        if self.french:
            clock = f"{hours} h {minutes}" + (f" min {seconds} s" if at.second else "")
        else:
            clock = f"{hours}:{minutes}" + (f":{seconds}" if at.second else "")
        return f"{self.day(at)} {clock}"

    def quantity(self, name: str) -> str:
        """Write a quantity's name."""
        if not self.french:
            return name
        for english, french in _QUANTITY_FR:
            name = re.sub(rf"\b{english}\b", french, name)
        return name

    def unit(self, unit: str) -> str:
        """Write a unit; pulses are the only one that is a word."""
        return "impulsions" if self.french and unit == "pulses" else unit

    def mark(self, mark: str) -> str:
        """Write the mark of a result."""
        for english in ("UNCALIBRATED", "SIMULATED"):
            mark = mark.replace(english, self.say(english))
        return mark

    def event(self, name: str) -> str:
        """Write an event's name."""
        if not self.french:
            return name
        return EVENTS.get(name) or _CODED.sub("événement", name)

    def details(self, name: str, details: Mapping[str, object]) -> str:
        """Write what belongs to an event."""
        return details_in_french(details) if self.french else details_text(name, details)

    def flags(self, flags: tuple[str, ...]) -> str:
        """Write an interval's flags."""
        return ", ".join(_FLAGS_FR.get(flag, flag) if self.french else flag for flag in flags)
