"""The meter's log in French: events by the names that they have in the history, and what belongs to them.

A text that is a sentence of the meter, a name or a number stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.results.event_text import is_said, season_number

EVENTS = {
    "accessed for read": "accès en lecture", "accessed for write": "accès en écriture",
    "board changed": "carte remplacée", "board foreign": "carte étrangère", "clock set from": "horloge réglée, avant",
    "clock set to": "horloge réglée, après", "clock slewed": "horloge corrigée",
    "constants written": "constantes écrites", "cold start": "démarrage à froid",
    "data cleared": "données effacées", "daylight saving off": "fin de l'heure avancée",
    "daylight saving on": "début de l'heure avancée", "demand reset": "remise à zéro de la puissance",
    "demand reset refused": "remise à zéro refusée", "diagnostic off": "diagnostic terminé",
    "diagnostic on": "diagnostic", "energy missing": "énergie manquante", "link failed": "liaison en défaut",
    "link lost": "liaison perdue", "link restored": "liaison rétablie",
    "log-on during lock-out": "ouverture de session pendant un blocage",
    "log-on failed": "ouverture de session refusée", "logged on": "session ouverte",
    "master reset": "réinitialisation générale", "measurement error": "erreur de mesure",
    "memory error": "erreur de mémoire", "store adopted": "mémoire reprise",
    "metering taken over": "mesure reprise", "power down": "panne de courant", "power up": "retour du courant",
    "pending activated": "programme en attente activé", "pending cleared": "programme en attente effacé",
    "pending refused": "programme en attente refusé", "pending written": "programme mis en attente",
    "procedure invoked": "procédure demandée", "programmed": "programmé", "rate change": "changement de tarif",
    "rate forced": "tarif imposé", "rate released": "tarif libéré", "recorder overflow": "débordement d'un canal",
    "refused": "refusé", "reading refused": "lecture refusée",
    "relay operated": "relais commandé", "seal broken": "sceau brisé", "sealed": "scellé",
    "season change": "changement de saison", "self read": "lecture automatique",
    "service detected": "service détecté", "session broke off": "session interrompue",
    "session ended": "session terminée", "test demand reset": "remise à zéro en mode essai",
    "test mode begin": "début du mode essai", "test mode end": "fin du mode essai",
    "time of day believed": "heure retenue", "time of day doubted": "heure mise en doute",
    "windows merged": "fenêtres fusionnées",
}  # fmt: skip

_DETAILS = {
    "rate": "tarif", "season": "saison", "cause": "cause", "resets": "n°", "source": "source", "level": "niveau",
    "seconds": "secondes", "seconds left": "secondes restantes", "milliseconds": "millisecondes",
    "milliseconds missing": "millisecondes manquantes", "intervals": "intervalles", "service": "service",
    "phases": "phases", "faults": "défauts", "windows": "fenêtres", "from tick": "à partir du tic", "found": "trouvé",
    "program": "programme", "name": "nom", "times": "fois", "failures": "échecs", "action": "action",
    "part": "partie", "refusal": "refus", "output": "sortie", "contact": "contact", "for_ms": "millisecondes",
    "diagnostic": "diagnostic", "before": "avant", "after": "après", "was_of": "avant", "is_of": "après",
    "done": "fait",
}  # fmt: skip

_VALUES: Mapping[str, Mapping[str, str]] = {
    "source": {
        "front": "devant du compteur", "optical port": "port optique", "panel": "panneau",
        "verification": "vérification", "command line": "ligne de commande", "service clock": "horloge du réseau",
        "input": "entrée", "calendar": "calendrier",
    },
    "cause": {
        "interval": "intervalle", "switch": "interrupteur", "communication": "communication",
        "self read": "lecture automatique", "season": "saison", "test mode begin": "début du mode essai",
        "test mode end": "fin du mode essai", "clock set": "horloge réglée", "programmed": "programmé",
        "clear data": "effacement des données", "master reset": "réinitialisation générale",
        "cold start": "démarrage à froid",
    },
    "action": {
        "identify": "identification", "read": "lecture", "demand reset": "remise à zéro de la puissance",
        "self-read": "lecture automatique", "set clock": "réglage de l'horloge",
        "season change": "changement de saison", "enter test mode": "entrée en mode essai",
        "leave test mode": "sortie du mode essai", "clear data": "effacement des données",
        "write program": "programmation", "change metrology": "modification de la métrologie",
        "change service type": "modification du type de service", "change relays": "modification des relais",
        "change security": "modification de la sécurité", "operate relay": "commande d'un relais",
        "calibrate": "étalonnage", "master reset": "réinitialisation générale", "cold start": "démarrage à froid",
        "upgrade": "mise à niveau", "break the seal": "bris du sceau",
    },
    "refusal": {
        "not from there": "pas par cette voie", "module not fitted": "module absent",
        "not granted to the module": "non accordé au module", "sealed": "scellé", "level too low": "niveau trop bas",
        "no demand": "sans puissance", "no test mode by communication": "pas de mode essai par communication",
        "test mode": "en mode essai", "not in test mode": "pas en mode essai", "cover on": "couvercle en place",
        "no override sequence": "sans la manœuvre de bris", "not sealed": "non scellé",
        "a program waits": "un programme attend", "no program waits": "aucun programme n'attend",
        "time is past": "heure passée", "keys have changed": "les clés ont changé",
    },
    "part": {
        "kWh delivered": "kWh fournie", "kWh received": "kWh reçue", "kWh net": "kWh nette",
        "kvarh and kVAh": "kvarh et kVAh", "energy by rate": "énergie par tarif", "demand": "puissance",
        "closed periods": "périodes closes", "load profile": "profil de charge",
        "meter information": "données du compteur", "service information": "données du service",
        "event log": "journal", "kWh pulses": "impulsions de kWh", "other pulses": "autres impulsions",
    },
    "faults": {
        "repeated": "répété", "overflow": "débordement", "sequence": "numéro d'ordre", "gap": "lacune",
        "length": "longueur", "overrun": "dépassement", "configuration": "configuration", "merged": "fusionné",
        "time": "temps", "implausible": "invraisemblable",
    },
    "diagnostic": {
        "cross phase": "phases croisées", "voltage deviation": "écart de tension",
        "inactive current": "courant absent", "current angle": "angle du courant",
        "current distortion": "distorsion du courant", "voltage distortion": "distorsion de la tension",
        "phase a out": "phase a absente", "phase b out": "phase b absente", "phase c out": "phase c absente",
        "unknown service": "service inconnu",
    },
}  # fmt: skip
"""What a detail can be, where that is one of a few; "faults" are several of them."""


def details_in_french(details: Mapping[str, object]) -> str:
    """Put what belongs to an event in words."""
    return ", ".join(
        f"{_DETAILS.get(name, name)} {_value(name, value)}" for name, value in details.items() if is_said(name, value)
    )


def _value(name: str, value: object) -> object:
    if name == "season":
        return season_number(value)
    words = _VALUES.get(name)
    return value if words is None else ", ".join(words.get(each, each) for each in str(value).split(", "))
