"""Words that tell a person's name from a place's: common first names in Britain, and what places are called.

Written for the guard over free text; no list is complete, which is why titles and context are looked at too.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Given names common in Britain among those born since 1950, whatever their family's origin.
FIRST_NAMES: Final = _words("""
aaliyah aaron abbie abby abdul abdullah abigail abu adam adan adele adil adrian agnieszka ahmed aidan aiden aimee aisha aiysha ajay alan albert
aleksander aleksandra alesha alex alexander alexandra alexis alfie alfred ali alice alicia alina alisha alison alistair aliyah allan alma alyssa
amaan amanda amar amara amber amelia amelie amina aminah amir amit amy ana anastasia andrea andreea andreas andrei andrew andy aneesa angel angela
anika anil anisa anita anjali ann anna annabel annabelle anne annie anthony antonia anya archie aria arjun armaan arthur arun arya asad asha ashley
ashleigh asif asma austin ava ayaan ayesha ayla aysha
baljit barbara barry bartosz beatrice becky bella ben benjamin bernard beth bethan bethany beverley bilal billie billy blake bobby bonnie bradley
brandon brenda brian bridget brooke bryan bryony
caitlin callum calum cameron camilla caoimhe cara carl carla carly carol caroline carolyn carrie casey catherine cathy cerys chantelle charles
charley charlie charlotte chelsea cheryl chloe chris christian christine christina christopher ciara ciaran claire clara clare clive cole colin
connie connor conor corey courtney craig cristian curtis cynthia
daisy dale damian damien dan daniel daniela danielle danny darcey darcy daria darius darren dave david dawid dawn dean deborah debbie declan deepak
denise dennis derek desmond destiny diana diane dominic dominik donna doreen dorothy douglas duncan dwayne dylan
ebony eddie eden edith edward edwin eileen elaine eleanor elena eli eliana elif elijah elisha eliza elizabeth ella ellen ellie elliot elliott
ellis eloise elsa elsie emilia emily emma emmanuel eric erica erin esme esmee esther ethan eva evan eve evelyn evie ewan ezra
fahad faith fareed farhan farida farrah fatima fatimah felicity felix filip finlay finley finn fiona florence florin fran frances francesca francis
frank frankie fraser fred freddie frederick freya
gabriel gabriela gabriella gareth gary gavin gemma geoff geoffrey george georgia georgie georgina gerald gerard gillian gina giulia gloria gordon
grace graham grant greg gregory gulsen gurpreet gwen
hadiya haider hakim halima hamza hana hannah hardeep harjit harley harold haroon harriet harris harrison harry harvey hasan hashim hassan hayden
hayley hazel heather heidi helen helena henrietta henry hilary hira holly hollie howard hubert hugh hugo humza hussain hussein
iain ian ibrahim ibrar idris ieuan ikram ilyas imaan iman imogen imran india indie ines inga ioana iqra iris irene isaac isabel isabella isabelle
isha isla ismail isobel ivan ivy iwan izaan izzy
jack jackie jackson jacob jacqueline jade jaden jagdeep jake jakub jamal james jamie jamil jan jane janet janice jannat jasmin jasmine jason jasper
javed javier jay jayden jayne jean jeff jeffrey jemima jemma jen jenna jennifer jenny jeremy jerome jess jesse jessica jill jim jimmy jo joan joanna
joanne jodie joe joel john johnathan johnny jon jonah jonathan jordan jordon jose joseph josephine josh joshua josie joyce jude judith judy julia
julian julie juliet june junaid junior justin
kacper kai kaiden kaitlin kaitlyn kamal kamil kamran karen karim karina karl karolina kasia kasim kate katherine kathleen kathryn katie katy katya
kay kaya kayla kayleigh keeley keira keiran keith kelly kelsey ken kenneth kenzie kerry kevin keziah khadija khadijah khalid kian kiera kieran kim
kimberley kimberly kiran kirsten kirsty komal krishna kristina kristian krzysztof kuba kyle kylie kyra
lacey laiba laila lara larissa latoya laura lauren laurence layla layton lea leah leanne lee leila lena lenny leo leon leona leonard lesley leslie
lewis lexi lexie liam libby lilia lillian lilly lily linda lindsay lindsey lisa liv livia liz lloyd logan lola lorraine louie louis louisa louise
luca lucas lucie lucinda lucy luis luiz lukas lukasz luke lydia lynda lynn lynne lynsey
maciej mackenzie maddie maddison madeleine madison maeve magda magdalena maggie maheen mahmood mahmoud maisie malachi malcolm malik manjit marcel
marcin marco marcus mariusz maria mariam marian marie marilyn marina mario marion marjorie mark marlene marlon martha martin martyn mary maryam
mason mateusz matilda matt matteo matthew maureen maurice max maxwell maya mayson megan mehmet mehreen mehmood mia michael michaela michal michelle
miguel mihai mikey mila mildred millie milo mina minahil miriam misbah mohamed mohammad mohammed mohamud molly monica monika morgan moses muhammad
muhammed mustafa musa mya myles myra
nabeel nabil nadia nadine naeem naima nancy naomi naseem nasir nasreen natalia natalie natasha nathan nathaniel naveed nav neil nellie nia niall
niamh nicholas nick nicky nicola nicole nigel nikhil nikita nikki nikola nina noah noel noor nora norma norman nusrat
oisin olga oliver olivia olivier ollie olwen omar oscar osman otis owain owen
paige pamela patricia patrick patryk patrycja paul paula pauline pavel penelope penny percy perry peter petra phil philip philippa phillip phoebe
phyllis piotr poppy preeti priya priyanka przemyslaw
quentin quinn
rabia rachael rachel radu rafael raheem rahim rahul raj rajesh ralph ramiz ramona randeep rani raphael rashid raul ravi ray raymond rayyan rebecca
rebekah reece reegan rehan rehana reggie remi remy ren renee reuben rhea rhian rhiannon rhys ria ricardo richard ricky rihanna riley rita riya rizwan
rob robbie robert roberta roberto robin robyn rocco roger rohan rohit roisin roman romeo romy ron ronald ronan ronnie rory rosa rosalie rosanna
roseanne rosemary rosie ross rowan roxanne roy ruairi ruby rudi rukhsana rupert russell ruth ryan ryder
saad sabah sabrina sadia sadie safa saffron safiya safiyyah sahil saima sajid sajida sakina salim sally salma salman sam samantha samina samir samira
samuel sana sandeep sandra sania sanjay sara sarah sasha saskia saul scarlett scott sean sebastian selena selina serena shabana shabnam shahid shahzad
shakira shakil shane shania shannon sharif sharon shaun shayla shazia sheila shelby shelley sherry shirley shona shreya sidney sidra sienna sierra
silvia simon simone simran sinead siobhan skye sofia sofie sohail sonia sonny sonya sophia sophie soraya spencer stacey stacy stan stanley stefan
stella stephanie stephen steve steven stewart stuart sue suhail sukhdeep sultan sumaira summaya sunil suresh susan susanna suzanne sylvia syed szymon
tabitha tahir tahira talia tamara tammy tamsin tania tanisha tanvir tanya tara tariq tasha tasnim tayla taylor ted tegan teresa terence terri terry
tess tessa thea theo theodore theresa thomas tia tiana tiegan tiffany tilly tim timothy tina toby todd tom tomas tomasz tommy toni tony tori tracey
tracy travis trevor tristan troy tyler tyrone
umair umar umer usman uzair uzma
vanessa vasile vera vernon veronica vicki vicky victor victoria vijay vikki vincent viola violet viorel vivian vivienne vladimir
waleed walid walter waqar waqas warren wasim wayne wendy wiktor wiktoria will william willow wilfred wojciech
xander abdi abdirahman abena abiola ade adebayo adjoa adnan afia afua ahlam akosua akua ama amadou amari ameerah anan aoife arash ashanti asiya ayo azaria
babatunde bahar bashir binta blessing boban bogdan bronagh bukola catalin chanel chantal chiamaka chidi chidera chika chinedu chioma chukwu cosmin
cristina dalia danuta darnell dejan deborah delroy demi deng denzel deshawn devante dimitri dorota dragos ebrima efua ekow elijah emeka emre
enoch eniola esra ewa ewelina faisal farah fatou fatuma femi fikile filiz folake funmi georgi ghazal gheorghe grzegorz hadi halina hamid hamse hawa
hidayat hodan huda hyacinth idil ifeoma ikechukwu ioan ionut ivana iulia izabela jamila jaroslaw javon jelena jemal jermaine jerzy joanna kadija
kareem karolis kehinde keisha kelechi keon khadra khalil kofi kojo krystyna kunle kwabena kwaku kwame kwasi lakshmi lamar latifah latisha leticia
leyla lucja lul maame magdalene malgorzata malika manuel marcus mariama marlon mehdi mehreen mircea mohsin monique muna musab mykola nadeem nafisa
nasra natalya ngozi nikolai nimo nkechi nneka obinna oksana oluwaseun omari onur ophelia oumou pawel petru petya precious rashida razvan remziye
renata roxana saeed safia sagal sahra samatar semih serkan shaniqua shanice shaquille sharmake shaunice shyanne sinan sorin stefania stoyan sven
tamika tamsyn tanveer tariro tatiana temitope tendai tessy thandiwe tinashe tobi tomasz trisha tunde tyra tyreece tyrell uchenna udo ugo valentina
valeriu vasil viktor viktoriya wafa wanjiru yaa yannick yaw yetunde yolanda yonas yusra zaki zamzam zbigniew zeinab zhara zlatan zoltan
amrit baldeep balwinder gurdeep gursimran harpreet harvinder jagjit jaspreet jaswinder kirandeep kulbir kuldeep kulwinder mandeep maninder manpreet
navdeep navjot parminder prabhjot rajinder ramandeep ravinder rupinder satnam sukhjit sukhvinder surinder tejinder
yahya yasin yasir yasmin yasmine yousef yousuf youssef yuri yusuf yvonne yvette
zac zach zachary zahid zahra zahrah zaid zaina zainab zak zaki zara zarah zayd zayn zeeshan zeynep zia zoe zofia zoya zubair zuzanna zunaira
""")

# Given names that are also ordinary words, months, towns or countries: a name only beside something that says so.
ALSO_WORDS: Final = _words("""
adele amber angel april asha aria austin beth blake bonnie brook brooke casey chelsea chester christian clay cole crystal curtis daisy dale dan dawn
dean destiny duncan eden ellis eve evan faith felicity finn florence frank gay georgia ginger gloria grace grant harley harris harrison harvey hazel
heather holly hope hugh india indie iris ivy jackson jade jan jasmine jasper jay jean jersey jesse joy jordan josh jude june junior kay ken kenny kim
kyle lacey lance lane layton lee leo lexi lily lindsay lloyd logan lola luis luke mackenzie madison malt mark marian marina marion marlene mason max
maxwell may mercy mia mike milo mina miles morgan nancy nav noel nora norman olive otis owen paige paris pat penny percy perry pete phoenix piper poppy
preston quinn ray reading reggie ren rene ria rich rob robin rocco roman ron rosa rose rosie ross rowan roy ruby russell ryder sage sally sam sandy
scarlett scott sidney sierra skye sonny spencer stan stella sterling stewart stuart sultan summer sunny sydney taylor ted tess theo tia tim tom
toni tony tori tracy troy victor victoria vernon viola violet walter warren wayne wells will willow woody york
""")

# What follows a name in the name of a place, a road, premises or an organisation.
PLACE_WORDS: Final = _words("""
academy alley allotments apartments arcade arch arches area arena arms avenue ave bank bar barracks bay beach bowl bridge broadway brook buildings
cafe campus canal caravan care carpark car castle cathedral cemetery centre center chapel chambers chicken chip chippy chips church cinema circus
close club coach college common community corner cottage cottages council court courts cres crescent croft cross crossing dam dental dock docks drive
drove east embankment end estate factory farm field fields flats flyover foodbank ford foundation friary fried gardens garden gate gates gdns
gallery garage glen green greenway grill grocers ground grounds grove gym hall halls harbour head heath heights hill holt hospital hostel hotel house
hub hill huts infirmary inn institute island junction kebab kebabs kitchen lake lane library lido lodge low lounge mall manor market marina masjid
mead meadow meadows medical memorial mews mill mills monument moor mosque mount mosque museum north nursery oak off office old orchard oval parade
park parks parking parkway passage path pavilion pharmacy piazza pier pit pizza place playground playing plaza point pool pond post precinct primary
promenade pub quadrant quarry quay rail railway ranges rank rd rec recreation reserve restaurant retail rise river newsagent newsagents news sauna cars cabs taxis minicabs nails hood barber barbers salon hair hairdressers beauty tyres motors
express launderette laundry vape vapes bakery bakers butchers fisheries solicitors opticians florist florists convenience off-licence bookmakers bet
tandoori balti curry noodle sushi grille bistro brasserie diner steakhouse wines spirits bathrooms carpets furniture electrical mobiles phones
garage mot bodyshop scaffolding plumbing insurance lettings estates properties road roundabout row school
secondary shop shops shopping side skatepark slip south spa sports square st stadium stand statue station steps stores street strand studio
subway superstore supermarket surgery swimming takeaway tavern temple terrace theatre tower towers town tramstop trust tunnel underpass university
valley viaduct view villa villas village vineyards wale walk walkway ward warehouse way well west wharf wing wood woods works yard youth
""")

# What stands before a name in the name of a place.
PLACE_LEADS: Final = _words(
    "st st. saint royal king queen prince princess lord lady duke earl sir the fort port mount great little old new"
)

# Who a sentence may be about: a name beside one of these is a person's.
PERSON_WORDS: Final = _words("""
called named girl boy child lad lass teen teenager youth kid sister brother daughter son mother mum father dad friend boyfriend girlfriend mate niece
nephew cousin male female suspect victim
""")

# What one does with people: a name after one of these is a person's.
MEETING_WORDS: Final = _words(
    "saw spoke speak talked talking meet met meeting with seen told asked between texted rang messaged escorted greeted welcomed"
)

# Given names that are better known as places.
PLACE_NAMES: Final = _words(
    "chelsea georgia india jordan paris sydney york reading preston jersey chester lancaster kent florence victoria"
)

# What a person does, right after the name.
PERSON_VERBS: Final = _words("""
said says told tells asked asks was is has had went goes came left seen saw looked looks seemed seems appeared reported disclosed refused ran walked
stated mentioned thinks thought feels felt wants wanted got gets met rang called texted messaged cried lives stays stayed and who aged
""")

SHORT_WORDS: Final = _words("""
and the for was are has had not but off out all any can who why how too two one ten six new old now day way see saw use may man men car bus bar pub
gym box bin lot set sat sit sun mon tue wed thu fri his her him she our via per due end got get let put run ran big bad low top far few yet ago age
""")

NOT_SURNAMES: Final = _words("""
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december
and or but the then to at in on by from with we they he she it i after before when while near police council team officers staff said
""")
